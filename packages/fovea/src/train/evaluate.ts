/** @file A model's loss and accuracy on a data set, and its predictions for images. */
import { arrayDataset } from '../data/array-dataset.js'
import { batchesOf } from '../data/batches.js'
import type { Batch, Dataset, View } from '../data/dataset.js'
import { checkNotEmpty, dataset as datasetSetting } from '../data/dataset-setting.js'
import { type Images, imageCount, pixelsOf } from '../data/pixels.js'
import { defaultEngine } from '../engines/default.js'
import type { CompileOptions, Engine, Program } from '../engines/engine.js'
import { compileSettings, engine } from '../engines/engine-setting.js'
import { InvalidArgumentError } from '../errors.js'
import type { HostArray } from '../graph/arrays.js'
import { type Graph, stateNodes } from '../graph/graph.js'
import type { Model } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { type PrecisionOptions, precisionSettings } from '../passes/mixed-precision.js'
import { group, type Rows, type Settled } from '../settings/group.js'
import { choice, whole } from '../settings/kinds.js'
import type { ReliabilityBin } from './calibration.js'
import { inClassesOf } from './check-dataset.js'
import { type Loss, lossSettings } from './loss.js'
import { ClassificationMetrics, type ClassMetrics, classMetrics, type Mistake, probabilities } from './metrics.js'
import {
  type TestTimeAugmentation,
  testTimeAugmentations,
  viewsOf,
  type WeightedView,
} from './test-time-augmentation.js'
import { evaluationGraph } from './training-graph.js'

/** How images are measured. */
export interface EvaluateOptions extends CompileOptions, PrecisionOptions {
  /** Default: the native engine where it is built, else the reference engine. */
  readonly engine?: Engine
  /** Default 100. */
  readonly batchSize?: number
  /** What `loss` is to be. Default `cross-entropy`. */
  readonly loss?: Loss
  /** Views of each image, over which the logits are averaged. Default `none`. */
  readonly testTimeAugmentation?: TestTimeAugmentation
}

/** The table of `EvaluateOptions`. */
export const evaluateSettings = {
  ...compileSettings,
  ...precisionSettings,
  engine,
  batchSize: whole('images at a time', { from: 1 }).default(100),
  loss: lossSettings.loss,
  testTimeAugmentation: choice('views of each image, over which logits are averaged', testTimeAugmentations).default(
    'none',
  ),
} satisfies Rows<EvaluateOptions>

const evaluateOptions = group('how images are measured', evaluateSettings)
const predictOptions = group('how images are told apart', {
  ...evaluateSettings,
  top: whole('how many labels an image gets', { from: 1 }).default(5),
})

/** What a model comes to on labelled images. */
export interface Evaluation {
  readonly loss: number
  /** As fractions. */
  readonly accuracy: number
  readonly top5: number
  readonly images: number
  readonly seconds: number
  /** [actual][predicted] counts. */
  readonly confusion: readonly (readonly number[])[]
  /** One row a class. */
  readonly classes: readonly ClassMetrics[]
  /** The expected calibration error: how far confidence and accuracy are apart; 0 is perfect. */
  readonly calibrationError: number
  /** Confidence beside accuracy, from which that error is. */
  readonly reliability: readonly ReliabilityBin[]
  /** The worst, highest loss first; 40 at most. */
  readonly mistakes: readonly Mistake[]
}

/** A compiled model in inference form, which measures and predicts again and again with changing weights. */
export class Evaluator {
  readonly #model: Model
  readonly #graph: Graph
  readonly #program: Program
  readonly #batchSize: number
  readonly #loss: Loss
  readonly #views: readonly WeightedView[]

  /** @throws InvalidArgumentError for an unknown test-time augmentation */
  constructor(model: Model, engine: Engine, options: Omit<EvaluateOptions, 'engine'>) {
    const { batchSize = 100, loss = 'cross-entropy', testTimeAugmentation = 'none', ...more } = options
    const { memoryLimitBytes, ...precision } = more
    this.#model = model
    this.#batchSize = batchSize
    this.#loss = loss
    this.#views = viewsOf(testTimeAugmentation)
    this.#graph = evaluationGraph(model.graph, batchSize, precision)
    this.#program = engine.compile(this.#graph, memoryLimitBytes === undefined ? {} : { memoryLimitBytes })
  }

  async load(weights: ReadonlyMap<string, HostArray>): Promise<void> {
    for (const { name } of stateNodes(this.#graph)) {
      const values = weights.get(name)
      if (values === undefined) throw new InvalidArgumentError(`the weights lack '${name}'`)
      await this.#program.write(name, values)
    }
  }

  /** @throws InvalidArgumentError for images of another size, and for a class that the model does not know */
  async evaluate(dataset: Dataset): Promise<Evaluation> {
    const labelled = inClassesOf(this.#model, dataset)
    const start = performance.now()
    const metrics = new ClassificationMetrics(this.#model.labels.length, this.#loss)
    for await (const { batch, logits } of this.#logits(labelled)) metrics.add(logits, batch.labels, batch.count)
    const { loss, accuracy, top5, images, confusion, calibration, mistakes } = metrics
    const classes = classMetrics(confusion, this.#model.labels)
    const calibrated = { calibrationError: calibration.error, reliability: calibration.bins }
    const seconds = (performance.now() - start) / 1000
    return { loss, accuracy, top5, images, seconds, confusion, classes, ...calibrated, mistakes }
  }

  /** Of every image and class, [images, classes]. */
  async probabilities(dataset: Dataset): Promise<Float32Array> {
    const classes = this.#model.labels.length
    const result = new Float32Array(dataset.length * classes)
    let row = 0
    for await (const { batch, logits } of this.#logits(dataset)) {
      for (let i = 0; i < batch.count; i++, row++) {
        result.set(probabilities(logits.subarray(i * classes, (i + 1) * classes)), row * classes)
      }
    }
    return result
  }

  dispose(): void {
    this.#program.dispose()
  }

  /** Batch by batch; with several views, the weighted mean over a batch of each. */
  async *#logits(dataset: Dataset): AsyncGenerator<{ readonly batch: Batch; readonly logits: HostArray }> {
    const options = { batchSize: this.#batchSize, normalization: this.#model.preprocessing }
    const pass = ({ weight: _, ...view }: WeightedView) =>
      batchesOf(dataset, isPlain(view) ? options : { ...options, view })
    const [first, ...more] = this.#views
    const others = more.map(view => ({ weight: view.weight, batches: pass(view)[Symbol.asyncIterator]() }))
    try {
      for await (const batch of pass(first)) {
        const { logits } = await this.#program.run({ image: batch.images })
        if (first.weight !== 1) for (let i = 0; i < logits.length; i++) logits[i] *= first.weight
        for (const { weight, batches } of others) {
          const { value } = (await batches.next()) as IteratorYieldResult<Batch>
          const { logits: more } = await this.#program.run({ image: value.images })
          for (let i = 0; i < logits.length; i++) logits[i] += weight * more[i]
        }
        yield { batch, logits }
      }
    } finally {
      for (const { batches } of others) await batches.return?.()
    }
  }
}

const isPlain = ({ shift: [y, x], flip }: View): boolean => y === 0 && x === 0 && !flip

/**
 * Loss, accuracy and confusion of a model over a whole data set.
 * @param dataset may have some of the model's classes only, in any order: they are told apart by their names
 * @throws InvalidArgumentError for options, images or classes that do not fit
 */
export async function evaluate(model: Model, dataset: Dataset, options: EvaluateOptions = {}): Promise<Evaluation> {
  modelOf(model)
  const images = labelledImages.parse(dataset, 'dataset')
  checkNotEmpty(images, 'dataset')
  const how = evaluateOptions.parse(options, '')
  return withEvaluator(model, images.length, how, evaluator => evaluator.evaluate(images))
}

const labelledImages = datasetSetting('labelled images')

/**
 * The probability of every class for every image.
 * @param images 8-bit images of the model's size (`preprocessing.size`), one after another, NHWC
 * @returns [images, classes]
 * @throws InvalidArgumentError for what are no 8-bit pixels, or if their number is no multiple of an image's
 */
export async function predictProbabilities(
  model: Model,
  images: Images,
  options: EvaluateOptions = {},
): Promise<Float32Array> {
  const { preprocessing, labels: classes } = modelOf(model)
  const pixels = pixelsOf(images)
  const imageShape = preprocessing.size
  const count = imageCount(pixels, imageShape)
  const how = evaluateOptions.parse(options, '')
  const labels = new Int32Array(count)
  const dataset = arrayDataset({ name: 'images', images: pixels, labels, imageShape, classes })
  return withEvaluator(model, count, how, evaluator => evaluator.probabilities(dataset))
}

/** A class that a model names for an image. */
export interface Prediction {
  readonly label: string
  readonly probability: number
}

/**
 * The most probable labels of each image.
 * @param images as `predictProbabilities` takes them
 * @param options `top`: how many labels an image gets, most probable first; default 5
 * @throws as predictProbabilities
 */
export async function predict(
  model: Model,
  images: Images,
  options: EvaluateOptions & { readonly top?: number } = {},
): Promise<Prediction[][]> {
  const { labels } = modelOf(model)
  const { top, ...how } = predictOptions.parse(options, '')
  const all = await predictProbabilities(model, images, how)
  return Array.from({ length: all.length / labels.length }, (_, image) =>
    labels
      .map((label, i) => ({ label, probability: all[image * labels.length + i] }))
      .sort((a, b) => b.probability - a.probability)
      .slice(0, top),
  )
}

async function withEvaluator<T>(
  model: Model,
  images: number,
  { engine, batchSize, ...options }: Settled<typeof evaluateSettings>,
  use: (evaluator: Evaluator) => Promise<T>,
): Promise<T> {
  const chosen = engine ?? (await defaultEngine())
  const evaluator = new Evaluator(model, chosen, { ...options, batchSize: Math.min(batchSize, images) })
  try {
    await evaluator.load(model.weights)
    return await use(evaluator)
  } finally {
    evaluator.dispose()
  }
}
