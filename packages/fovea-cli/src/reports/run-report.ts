/** @file Makes the picture of a finished run: what the numbers and images in it are. How it is drawn: picture.ts. */
import {
  type DataSplits,
  type Dataset,
  type Engine,
  type EpochMetrics,
  type Model,
  parameterCount,
  predict,
} from 'fovea'
import { percent, withCommas } from '../output.js'
import { gridImages, imageUri, runPicture, writePicture } from './picture.js'
import type { PredictedImage } from './prediction-grid.js'

export interface RunResults {
  readonly model: Model
  readonly data: DataSplits
  readonly engine: Engine
  readonly title: string
  readonly epochs: readonly EpochMetrics[]
  readonly confusion: readonly (readonly number[])[]
  /** On the held-out images. */
  readonly accuracy: number
}

/**
 * Writes the picture.
 * @param path without ending
 * @returns the path written
 */
export async function writeRunReport(path: string, results: RunResults): Promise<string> {
  const { model, data, engine, title, epochs, confusion, accuracy } = results
  const subtitle = [
    `${percent(accuracy)} of ${withCommas(data.test.length)} held-out images are recognized`,
    `${withCommas(parameterCount(model.graph))} parameters`,
    `${withCommas(data.train.length)} training images`,
    `engine: ${engine.name}`,
  ].join(' · ')
  const svg = runPicture({
    title,
    subtitle,
    classes: model.labels,
    epochs: epochs.map(({ loss, accuracy, validationLoss = Number.NaN, validationAccuracy = Number.NaN }) => ({
      loss,
      accuracy,
      validationLoss,
      validationAccuracy,
    })),
    confusion,
    predictions: await predictSome(model, data.test, engine),
  })
  return writePicture(svg, path)
}

/** Held-out images, evenly spaced over the data set, so over its classes too, and what the model sees in them. */
async function predictSome(model: Model, dataset: Dataset, engine: Engine): Promise<PredictedImage[]> {
  const count = Math.min(gridImages, dataset.length)
  const indices = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * dataset.length) / count))
  const [height, width, channels] = dataset.imageShape
  const bytes = height * width * channels
  const pixels = new Uint8Array(count * bytes)
  dataset.read(indices, pixels)
  const predictions = await predict(model, pixels, { engine, top: 1 })
  return Promise.all(
    indices.map(async (index, i) => ({
      uri: await imageUri(pixels.subarray(i * bytes, (i + 1) * bytes), dataset.imageShape),
      truth: dataset.classes[dataset.labels[index]],
      predicted: predictions[i][0].label,
      probability: predictions[i][0].probability,
    })),
  )
}
