/**
 * @file What a finished run, or an evaluation, leaves for people and programs to look at: pictures and `results.json`.
 * Which numbers and images they show; how they are drawn stands in the files beside this one.
 */
import { join } from 'node:path'
import {
  type Dataset,
  type Engine,
  type EpochMetrics,
  type Evaluation,
  type Model,
  parameterCount,
  predict,
} from 'fovea'
import { writeFileAtomic } from '../files.js'
import { percent, withCommas } from '../output.js'
import { calibrationPicture } from './calibration-picture.js'
import { mistakeSize, mistakesPicture } from './mistakes-picture.js'
import { imageUri, pictureFiles, writePicture } from './picture.js'
import type { PredictedImage } from './prediction-grid.js'
import { formatResults } from './results.js'
import { imageSide, imagesPerRow, runPicture } from './run-picture.js'

/** The files that writeEvaluationReport and writeRunReport may write. */
export const evaluationFiles = ['results.json', ...['mistakes', 'calibration'].flatMap(pictureFiles)]
export const runReportFiles = [...evaluationFiles, ...pictureFiles('report')]

/** What a model came to on images that it was not trained on. */
export interface EvaluationResults {
  readonly model: Model
  readonly test: Dataset
  /** Over the pictures. */
  readonly title: string
  /** What people call the images: `test images`. Default `held-out images`. */
  readonly imagesName?: string
  readonly evaluation: Evaluation
  /** The accuracy with test-time augmentation, where that was measured too. */
  readonly augmentedAccuracy?: number
}

export interface RunResults extends EvaluationResults {
  readonly engine: Engine
  readonly trainingImages: number
  readonly epochs: readonly EpochMetrics[]
}

/**
 * Writes `results.json`, `mistakes.png` and `calibration.png` into a folder.
 * @returns the path of the mistakes' picture
 */
export async function writeEvaluationReport(folder: string, results: EvaluationResults): Promise<string> {
  const { model, title, imagesName, evaluation } = results
  const named = imagesName === undefined ? {} : { imagesName }
  const { images, confusion } = evaluation
  await writeFileAtomic(
    join(folder, 'results.json'),
    formatResults(evaluation, model.labels, results.augmentedAccuracy),
  )
  const right = confusion.reduce((sum, row, i) => sum + row[i], 0)
  const mistakes = await mistakenImages(results, mistakeSize, evaluation.mistakes.length)
  const calibration = calibrationPicture({ title: `${title}: calibration`, ...named, ...evaluation })
  await writePicture(calibration, join(folder, 'calibration'))
  const picture = mistakesPicture({
    title: `${title}: the worst mistakes`,
    ...{ mistakes, total: images - right, images, ...named },
  })
  return writePicture(picture, join(folder, 'mistakes'))
}

/**
 * Writes all that writeEvaluationReport writes, and `report.png`.
 * @returns the paths of that picture and of the mistakes'
 */
export async function writeRunReport(folder: string, results: RunResults) {
  const { model, test, engine, title, imagesName = 'held-out images', epochs, trainingImages, evaluation } = results
  const mistakes = await writeEvaluationReport(folder, results)
  const subtitle = [
    `${percent(evaluation.accuracy)} of ${withCommas(evaluation.images)} ${imagesName} are recognized`,
    `${withCommas(parameterCount(model.graph))} parameters`,
    `${withCommas(trainingImages)} training images`,
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
    confusion: evaluation.confusion,
    predictions: {
      some: await someImages(model, test, engine),
      mistakes: await mistakenImages(results, imageSide, imagesPerRow),
    },
  })
  return { report: await writePicture(svg, join(folder, 'report')), mistakes }
}

/** A row of held-out images, evenly spaced over the data set, so over its classes too. */
async function someImages(model: Model, test: Dataset, engine: Engine): Promise<PredictedImage[]> {
  const count = Math.min(imagesPerRow, test.length)
  const indices = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * test.length) / count))
  const predictions = await predict(model, pixelsOf(test, indices), { engine, top: 1 })
  return shown(
    test,
    imageSide,
    predictions.map(([{ label, probability }], i) => ({
      image: indices[i],
      truth: model.labels[test.labels[indices[i]]],
      predicted: label,
      probability,
    })),
  )
}

const mistakenImages = ({ model: { labels }, test, evaluation }: EvaluationResults, size: number, count: number) =>
  shown(
    test,
    size,
    evaluation.mistakes.slice(0, count).map(({ image, label, predicted, probability }) => ({
      image,
      truth: labels[label],
      predicted: labels[predicted],
      probability,
    })),
  )

type Named = Omit<PredictedImage, 'uri'> & { readonly image: number }

const shown = (test: Dataset, size: number, images: readonly Named[]): Promise<PredictedImage[]> =>
  Promise.all(
    images.map(async ({ image, ...rest }) => ({
      ...rest,
      uri: await imageUri(pixelsOf(test, [image]), test.imageShape, size),
    })),
  )

function pixelsOf({ imageShape: [height, width, channels], ...dataset }: Dataset, indices: readonly number[]) {
  const pixels = new Uint8Array(indices.length * height * width * channels)
  dataset.read(indices, pixels)
  return pixels
}
