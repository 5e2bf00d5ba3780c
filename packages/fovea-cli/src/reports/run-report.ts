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
import { imagesPerRow, imageUri, runPicture, writePicture } from './picture.js'
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

/** Of so many held-out images predictions are made for the picture. */
const SAMPLE = 1000

/** A row of held-out images, evenly spaced over the data set, so over its classes too, and a row of the surest mistakes. */
async function predictSome(model: Model, dataset: Dataset, engine: Engine) {
  const count = Math.min(SAMPLE, dataset.length)
  const indices = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * dataset.length) / count))
  const [height, width, channels] = dataset.imageShape
  const bytes = height * width * channels
  const pixels = new Uint8Array(count * bytes)
  dataset.read(indices, pixels)
  const predictions = (await predict(model, pixels, { engine, top: 1 })).map(([best]) => best)
  const truth = (i: number): string => dataset.classes[dataset.labels[indices[i]]]
  const shown = async (i: number): Promise<PredictedImage> => ({
    uri: await imageUri(pixels.subarray(i * bytes, (i + 1) * bytes), dataset.imageShape),
    truth: truth(i),
    predicted: predictions[i].label,
    probability: predictions[i].probability,
  })
  const all = Array.from({ length: count }, (_, i) => i)
  const some = all.slice(0, imagesPerRow).map((_, i) => Math.floor(((i + 0.5) * count) / Math.min(imagesPerRow, count)))
  const mistakes = all
    .filter(i => predictions[i].label !== truth(i))
    .sort((a, b) => predictions[b].probability - predictions[a].probability)
    .slice(0, imagesPerRow)
  return { some: await Promise.all(some.map(shown)), mistakes: await Promise.all(mistakes.map(shown)) }
}
