/** @file What a model sees in images: once, or again and again with a model that stays compiled. */
import { arrayDataset } from '../data/array-dataset.js'
import { type Images, imageCount, pixelsOf } from '../data/pixels.js'
import type { Model } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { checkArguments, group } from '../settings/group.js'
import { list, text, typedArray, whole } from '../settings/kinds.js'
import { type EvaluateOptions, evaluateSettings, openEvaluator } from './evaluate.js'

const howToEvaluate = group('how images are told apart', evaluateSettings)
const labelsPerImage = whole('labels per image', { from: 1 })
const howToPredict = group('how images are told apart', { ...evaluateSettings, top: labelsPerImage.default(5) })

/** A class that a model names for an image. */
export interface Prediction {
  readonly label: string
  readonly probability: number
}

/** A model that stays compiled. One call at a time: awaiting each keeps to that. */
export interface Predictor {
  /**
   * The probability of every class for every image, in steps of the batch size; a last one that is short takes as long.
   * @param images 8-bit images of the model's size (`preprocessing.size`), one after another, NHWC
   * @returns [images, classes]
   * @throws InvalidArgumentError for what are no 8-bit pixels, or if their number is no multiple of an image's
   */
  probabilities(images: Images): Promise<Float32Array>
  /** Frees the memory. */
  dispose(): void
}

/**
 * Compiles a model, to predict with it again and again.
 * @param options `batchSize`: images of a step; default 100
 * @throws InvalidArgumentError for options that do not fit; EngineError if there is not the memory
 */
export async function openPredictor(model: Model, options: EvaluateOptions = {}): Promise<Predictor> {
  modelOf(model)
  return predictorFor(model, Number.POSITIVE_INFINITY, options)
}

async function predictorFor(model: Model, most: number, options: EvaluateOptions): Promise<Predictor> {
  const { preprocessing, labels: classes } = model
  const imageShape = preprocessing.size
  const evaluator = await openEvaluator(model, most, howToEvaluate.parse(options, ''))
  return {
    async probabilities(images) {
      const pixels = pixelsOf(images)
      const count = imageCount(pixels, imageShape)
      const labels = new Int32Array(count)
      const dataset = arrayDataset({ name: 'images', images: pixels, labels, imageShape, classes })
      const rows = new Float32Array(count * classes.length)
      let done = 0
      for await (const some of evaluator.decoded(dataset)) {
        rows.set(some, done)
        done += some.length
      }
      return rows
    },
    dispose: () => evaluator.dispose(),
  }
}

/**
 * The probability of every class for every image.
 * @param images as `Predictor.probabilities` takes them
 * @returns [images, classes]
 * @throws as openPredictor and `Predictor.probabilities`
 */
export async function predictProbabilities(
  model: Model,
  images: Images,
  options: EvaluateOptions = {},
): Promise<Float32Array> {
  const { size } = modelOf(model).preprocessing
  const predictor = await predictorFor(model, imageCount(pixelsOf(images), size), options)
  try {
    return await predictor.probabilities(images)
  } finally {
    predictor.dispose()
  }
}

/**
 * The most probable labels of each image.
 * @param images as `Predictor.probabilities` takes them
 * @param options `top`: how many labels an image gets, most probable first; default 5
 * @throws as predictProbabilities
 */
export async function predict(
  model: Model,
  images: Images,
  options: EvaluateOptions & { readonly top?: number } = {},
): Promise<Prediction[][]> {
  const { labels } = modelOf(model)
  const { top, ...how } = howToPredict.parse(options, '')
  return mostProbable(await predictProbabilities(model, images, how), labels, top)
}

const rankArguments = {
  probabilities: typedArray('[images, classes]', 'Float32Array'),
  labels: list('in the order of the classes', 'labels', text('a label')),
  top: labelsPerImage,
}

/**
 * The most probable labels of each image, most probable first.
 * @param probabilities [images, classes]
 * @param labels in the order of the classes
 * @param top how many labels an image gets; default 5
 */
export function mostProbable(probabilities: Float32Array, labels: readonly string[], top = 5): Prediction[][] {
  checkArguments(rankArguments, { probabilities, labels, top })
  return Array.from({ length: probabilities.length / labels.length }, (_, image) =>
    labels
      .map((label, i) => ({ label, probability: probabilities[image * labels.length + i] }))
      .sort((a, b) => b.probability - a.probability)
      .slice(0, top),
  )
}
