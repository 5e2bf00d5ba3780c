/**
 * @file Keras's verbs: `compile`, `fit`, `evaluate`, `predict`, with Keras's names of losses and optimizers and its default
 * learning rates, over the same training loop as everything else.
 */
import { arrayDataset } from '../data/array-dataset.js'
import type { Augmentation, Dataset } from '../data/dataset.js'
import { subset } from '../data/subset.js'
import type { Engine } from '../engines/engine.js'
import { checkOptionNames, InvalidArgumentError, unknownName } from '../errors.js'
import { typeOf } from '../graph/arrays.js'
import type { Model } from '../models/model.js'
import type { Precision } from '../passes/mixed-precision.js'
import { evaluate, predictProbabilities } from './evaluate.js'
import { createOptimizer, type OptimizerOptions, optimizerNames } from './optimizers/index.js'
import { train } from './train.js'

/** What Keras calls our losses. `labels`: what the labels handed to `fit` must be. */
const losses = {
  categorical_crossentropy: { loss: 'cross-entropy', labels: 'one-hot' },
  sparse_categorical_crossentropy: { loss: 'cross-entropy', labels: 'index' },
  mean_squared_error: { loss: 'mean-squared-error', labels: 'one-hot' },
} as const
export type KerasLoss = keyof typeof losses

/** Keras's defaults: learning rates and, where they differ from ours, other numbers. */
const optimizers: Record<OptimizerOptions['type'], OptimizerOptions & { readonly learningRate: number }> = {
  sgd: { type: 'sgd', learningRate: 0.01 },
  adam: { type: 'adam', learningRate: 0.001 },
  adamw: { type: 'adamw', learningRate: 0.001, weightDecay: 0.004 },
  rmsprop: { type: 'rmsprop', learningRate: 0.001, momentum: 0, epsilon: 1e-7 },
}

/** What Keras's `compile` takes, under its names. */
export interface KerasCompileOptions {
  /** A name, or a name with numbers: `{ type: 'adam', learningRate: 1e-4 }`. Default `rmsprop`, as in Keras. */
  readonly optimizer?: OptimizerOptions['type'] | (OptimizerOptions & { readonly learningRate?: number })
  readonly loss: KerasLoss
  /** Accuracy is always measured. */
  readonly metrics?: readonly 'accuracy'[]
  readonly engine?: Engine
  readonly precision?: Precision
}

/** 8-bit pixels, [images, height, width, channels]; the model's preprocessing scales and normalizes them. */
export type Images = Uint8Array | Uint8ClampedArray
/** Class indices [images], or one-hot rows [images · classes] or [images][classes], as the loss wants them. */
export type Labels = ArrayLike<number> | readonly ArrayLike<number>[]

/** What Keras's `fit` takes, in the spelling of JavaScript. */
export interface FitOptions {
  /** Default 1. */
  readonly epochs?: number
  /** Default 32. */
  readonly batchSize?: number
  readonly validationData?: Dataset | readonly [Images, Labels]
  /** The last part of the training images, held out. */
  readonly validationSplit?: number
  readonly augmentation?: Augmentation
  /** Default 0. */
  readonly seed?: number
  /** As Keras's `LambdaCallback`: the numbers of each epoch, `val_` in front of those of the held-out images. */
  readonly onEpochEnd?: (epoch: number, logs: Readonly<Record<string, number>>) => void
}

/** Lists by name (`loss`, `accuracy`, `val_loss`, `val_accuracy`), one number an epoch. */
export interface History {
  readonly history: Readonly<Record<string, readonly number[]>>
}

/** A model that is ready to be fitted. */
export class Classifier {
  #model: Model
  #fitting = false
  readonly #options: KerasCompileOptions

  constructor(model: Model, options: KerasCompileOptions) {
    checkNames('compile', options, ['optimizer', 'loss', 'metrics', 'engine', 'precision'])
    const { loss, metrics = [] } = options
    if (!Object.hasOwn(losses, loss)) throw unknownName('loss', String(loss), Object.keys(losses))
    for (const metric of metrics) if (metric !== 'accuracy') throw unknownName('metric', String(metric), ['accuracy'])
    const { learningRate, ...optimizer } = optimizerOf(options)
    createOptimizer(optimizer as OptimizerOptions)
    if (!(learningRate > 0)) throw new InvalidArgumentError(`learningRate must be above 0, got ${learningRate}`)
    this.#model = model
    this.#options = options
  }

  /** With the weights as they are now; those of a fit when it has ended. */
  get model(): Model {
    return this.#model
  }

  /**
   * Trains on a data set, or on images and labels. Each call goes on with the weights, with a fresh optimizer. Unlike
   * Keras it leaves out, in each epoch, the images that fill no batch: others each time, as the order is another.
   * Until it has ended, `evaluate` and `predict` see the weights that it began with.
   * @throws InvalidArgumentError for images or labels of the wrong length, labels that are no classes, a split outside
   *   (0, 1), and while another fit is under way
   */
  async fit(dataset: Dataset, options?: FitOptions): Promise<History>
  async fit(images: Images, labels: Labels, options?: FitOptions): Promise<History>
  async fit(x: Dataset | Images, y?: Labels | FitOptions, more?: FitOptions): Promise<History> {
    const [whole, options] =
      'classes' in x ? [x, (y as FitOptions | undefined) ?? {}] : [this.#dataset(x, y as Labels), more ?? {}]
    checkNames('fit', options, fitOptions)
    const { epochs = 1, batchSize = 32, validationData, validationSplit, augmentation = {}, seed = 0 } = options
    const { training, validation } = this.#split(whole, validationData, validationSplit)
    const { learningRate, ...optimizer } = optimizerOf(this.#options)
    const logs: Record<string, number>[] = []
    if (this.#fitting) throw new InvalidArgumentError('a fit of this classifier is under way: await it first')
    this.#fitting = true
    try {
      const { model } = await train(this.#model, {
        data: { train: training, ...(validation === undefined ? {} : { validation }) },
        epochs,
        batchSize: Math.min(batchSize, training.length),
        optimizer: optimizer as OptimizerOptions,
        schedule: { type: 'constant', rate: learningRate },
        labels: losses[this.#options.loss].labels,
        augmentation,
        seed,
        ...this.#inference(),
        onEpoch: ({ epoch, loss, accuracy, validationLoss, validationAccuracy }) => {
          const held =
            validationLoss === undefined ? {} : { val_loss: validationLoss, val_accuracy: validationAccuracy! }
          logs.push({ loss, accuracy, ...held })
          options.onEpochEnd?.(epoch - 1, logs[logs.length - 1])
        },
      })
      this.#model = model
    } finally {
      this.#fitting = false
    }
    return { history: Object.fromEntries(Object.keys(logs[0]).map(name => [name, logs.map(log => log[name])])) }
  }

  /** Loss and accuracy on held-out images. */
  async evaluate(dataset: Dataset): Promise<{ loss: number; accuracy: number }>
  async evaluate(images: Images, labels: Labels): Promise<{ loss: number; accuracy: number }>
  async evaluate(x: Dataset | Images, y?: Labels): Promise<{ loss: number; accuracy: number }> {
    const dataset = 'classes' in x ? x : this.#dataset(x, y ?? [])
    const { loss, accuracy } = await evaluate(this.#model, dataset, this.#inference())
    return { loss, accuracy }
  }

  /** @returns the probability of every class for every image, [images, classes] */
  predict(images: Images): Promise<Float32Array> {
    return predictProbabilities(this.#model, pixelsOf(images), this.#inference())
  }

  #inference() {
    const { engine, precision } = this.#options
    const { loss } = losses[this.#options.loss]
    return { loss, ...(engine === undefined ? {} : { engine }), ...(precision === undefined ? {} : { precision }) }
  }

  #dataset(images: Images, labels: Labels): Dataset {
    const { preprocessing, labels: classes } = this.#model
    const numbers = flat(labels)
    const indices = losses[this.#options.loss].labels === 'index' ? numbers : indicesOf(numbers, classes.length)
    return arrayDataset({ images: pixelsOf(images), labels: indices, imageShape: preprocessing.size, classes })
  }

  #split(dataset: Dataset, data: FitOptions['validationData'], fraction: number | undefined) {
    if (data !== undefined) {
      return { training: dataset, validation: 'classes' in data ? data : this.#dataset(...data) }
    }
    if (fraction === undefined) return { training: dataset, validation: undefined }
    if (!(fraction > 0 && fraction < 1)) {
      throw new InvalidArgumentError(`validationSplit must lie between 0 and 1, got ${fraction}`)
    }
    const first = Math.floor(dataset.length * (1 - fraction))
    const indices = Array.from({ length: dataset.length }, (_, i) => i)
    return { training: subset(dataset, indices.slice(0, first)), validation: subset(dataset, indices.slice(first)) }
  }
}

/**
 * A model with the optimizer and loss it is to be trained with.
 * @throws InvalidArgumentError for an unknown loss or optimizer, offering the nearest
 */
export const compile = (model: Model, options: KerasCompileOptions): Classifier => new Classifier(model, options)

function optimizerOf({ optimizer = 'rmsprop' }: KerasCompileOptions) {
  const { type, ...numbers } = typeof optimizer === 'string' ? { type: optimizer } : optimizer
  if (!Object.hasOwn(optimizers, type)) throw unknownName('optimizer', type, optimizerNames)
  return { ...optimizers[type], ...numbers }
}

const fitOptions = ['epochs', 'batchSize', 'validationData', 'validationSplit', 'augmentation', 'seed', 'onEpochEnd']

function checkNames(what: string, options: object | undefined, known: readonly string[]): void {
  if (typeof options !== 'object') throw new InvalidArgumentError(`${what} needs its options: ${known.join(', ')}`)
  checkOptionNames(what, options, known)
}

/** @throws InvalidArgumentError for what are no 8-bit pixels */
function pixelsOf(images: Images): Uint8Array {
  const type = typeOf(images)
  if (type === 'Uint8Array') return images as Uint8Array
  if (type === 'Uint8ClampedArray') return new Uint8Array(images.buffer, images.byteOffset, images.length)
  throw new InvalidArgumentError(
    `images must be 8-bit pixels (Uint8Array), got ${type}; the model's preprocessing scales and normalizes them`,
  )
}

const flat = (labels: Labels): ArrayLike<number> =>
  typeof labels[0] === 'number' || labels.length === 0
    ? (labels as ArrayLike<number>)
    : (labels as readonly ArrayLike<number>[]).flatMap(row => Array.from(row))

/** @throws InvalidArgumentError naming the first row that is not one 1 among zeros */
function indicesOf(rows: ArrayLike<number>, classes: number): Int32Array {
  if (rows.length % classes !== 0) {
    throw new InvalidArgumentError(
      `one-hot labels of ${classes} classes come in rows of ${classes}, got ${rows.length} numbers`,
    )
  }
  return Int32Array.from({ length: rows.length / classes }, (_, i) => {
    const row = Array.from({ length: classes }, (_, c) => rows[i * classes + c])
    const index = row.indexOf(1)
    if (index < 0 || row.some((value, c) => value !== (c === index ? 1 : 0))) {
      throw new InvalidArgumentError(
        `label ${i} is not one-hot: a 1 at its class, 0 elsewhere; for class indices use sparse_categorical_crossentropy`,
      )
    }
    return index
  })
}
