/** @file The model that a run starts from: new weights for the images and classes of the data, or a trained model's. */
import { createModel, type Model, type ModelOptions, measureNormalization, replaceHead, ShapeError } from 'fovea'
import { readModelFile, readPretrained } from './checkpoint-file.js'
import type { LoadedData, SizeFrom } from './data/index.js'
import { checkSize, dataName } from './open-data.js'
import type { Output } from './output.js'
import type { RunRequest } from './run-record.js'
import { UsageError } from './usage.js'

/**
 * The trained model that `--from` names; the request's model says what a file is that holds weights alone.
 * @throws FormatError as readPretrained; FoveaError where the file holds another model
 */
export function pretrained(
  { model: name, from, normalize, size }: Pick<RunRequest, 'model' | 'from' | 'normalize' | 'size'>,
  output: Pick<Output, 'say' | 'warn'>,
): Model | undefined {
  if (from === undefined) {
    if (normalize !== undefined) throw new UsageError('--normalize is for weights that --from names')
    return undefined
  }
  // Weights alone are of no size.
  const input = size !== undefined && { input: [size, size, 3] as const }
  return readPretrained(from, { model: name, normalize, classifier: 'new', ...input }, output)
}

/**
 * A new model for the images of a data set.
 * @param sizeFrom of a folder's images, which can be given another size; a packed file's are packed again
 * @throws as createModel; of images that are too small, saying what to do
 */
export function fittingModel(name: string, options: ModelOptions, sizeFrom: SizeFrom | undefined): Model {
  try {
    return createModel(name, options)
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    const size = `--size ${createModel(name).preprocessing.size[0]}`
    const remedy = sizeFrom === undefined ? `pack them again with ${size}` : `give ${size}`
    throw new ShapeError(`${error.message}; ${remedy}`, { cause: error })
  }
}

/** With new weights, or with those of a trained model and, for other classes, a new head. */
export function startingModel(
  start: Pick<RunRequest, 'model' | 'seed' | 'from'>,
  { train: images, sizeFrom }: Pick<LoadedData, 'train' | 'sizeFrom'>,
  given?: Model,
): Model {
  if (given === undefined) {
    const { imageShape: input, classes: labels } = images
    const normalization = measureNormalization(images)
    return fittingModel(start.model, { input, labels, normalization, images, seed: start.seed }, sizeFrom)
  }
  const { from } = start
  checkSize(
    given,
    { ...{ name: dataName(images), imageShape: images.imageShape }, ...(sizeFrom && { sizeFrom }) },
    () => from !== undefined && readModelFile(from).source.graph === undefined,
  )
  const sameClasses =
    given.labels.length === images.classes.length && given.labels.every((label, i) => label === images.classes[i])
  return sameClasses ? given : replaceHead(given, images.classes, start.seed)
}
