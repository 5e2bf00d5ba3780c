/**
 * @file What a command opens that makes a smaller model of a saved one: the original, its data, which images both are measured
 * on, and the engine.
 */
import { type Dataset, type Engine, FoveaError, type Model, roundsAsIntegers } from 'fovea'
import { readModel } from './checkpoint-file.js'
import type { LoadedData } from './data/index.js'
import { type EngineOptions, openEngine } from './engines.js'
import { type MeasuredImages, measuredImages, sayDoubts } from './measured-images.js'
import { checkFound, findData, imagesFor, loading } from './open-data.js'
import type { Output } from './output.js'
import { foveaCommand } from './shell.js'
import { readTrainedImages, type TrainedImages } from './trained-images.js'

export interface OriginalRequest extends EngineOptions {
  readonly data: string
  readonly skipBad?: true
}

export interface OriginalOptions {
  /** The folder of what is made of it, with the help of training images. Default: nothing is. */
  readonly into?: string
  /** What training images are for, where it does not work without: `which show what numbers activations take`. */
  readonly trainImages?: string
  readonly output: Output
}

/** A saved model, and all that it takes to make something of it and to measure that. */
export interface Original {
  readonly file: string
  readonly model: Model
  readonly trained: TrainedImages
  readonly data: LoadedData
  readonly measured: MeasuredImages
  /** To be measured on. */
  readonly images: Dataset
  readonly engine: Engine
}

/**
 * @throws what readModel, findData, measuredImages and openEngine throw; FoveaError where there are no training images, and for a
 *   model that is being quantized
 */
export async function openOriginal(
  file: string,
  { data: spec, skipBad, ...asked }: OriginalRequest,
  { into, trainImages, output }: OriginalOptions,
): Promise<Original> {
  const model = readModel(file)
  if (roundsAsIntegers(model)) {
    const resume = foveaCommand('quantize', '--resume', 'FOLDER')
    throw new FoveaError(
      `'${file}' is in the middle of a quantization: resume that in the folder around it (${resume}), or start from the original`,
    )
  }
  const trained = readTrainedImages(file)
  const found = await findData(spec, { skipBad: skipBad === true, ...imagesFor(model) })
  checkFound(model, found)
  const data = await loading(output, load => found.open(load))
  if (trainImages !== undefined && data.train.length === 0) {
    throw new FoveaError(`'${spec}' has no train images, ${trainImages}: it was packed to measure models only`)
  }
  const { fingerprint } = data.train
  const measured = measuredImages([
    { name: file, data, trained },
    ...(into === undefined ? [] : [{ name: into, data, trained: { fingerprint } }]),
  ])
  sayDoubts(measured, output)
  return {
    file,
    model,
    trained,
    data,
    measured,
    images: measured.images[0],
    engine: openEngine(asked, output),
  }
}
