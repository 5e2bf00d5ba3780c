/**
 * @file Keras's verbs: `compile`, `fit`, `evaluate`, `predict`, over the same training loop as everything else. What they
 * take is in keras-options.ts.
 */
import { arrayDataset } from '../data/array-dataset.js'
import { asLabels, labelIndices } from '../data/class-labels.js'
import type { Dataset } from '../data/dataset.js'
import { dataset, isDataset } from '../data/dataset-setting.js'
import { type Images, imageCount, pixelsOf } from '../data/pixels.js'
import { subset } from '../data/subset.js'
import { InvalidArgumentError, SettingError } from '../errors.js'
import type { Model } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { describeValue } from '../settings/describe.js'
import { unexpected, within } from '../settings/setting.js'
import { evaluate } from './evaluate.js'
import {
  type CompiledWith,
  type FitOptions,
  fitOptions,
  type KerasCompileOptions,
  kerasCompileOptions,
  kerasLosses,
  type Labels,
  lossNames,
} from './keras-options.js'
import { predictProbabilities } from './predict.js'
import { train } from './train.js'

/** Lists by name (`loss`, `accuracy`, `val_loss`, `val_accuracy`), one number an epoch. */
export interface History {
  readonly history: Readonly<Record<string, readonly number[]>>
}

/** A model that is ready to be fitted. */
export class Classifier {
  #model: Model
  #fitting = false
  readonly #options: CompiledWith

  constructor(model: Model, options: KerasCompileOptions) {
    this.#model = modelOf(model)
    this.#options = kerasCompileOptions.parse(options, '')
  }

  /** With the weights as they are now; those of a fit when it has ended. */
  get model(): Model {
    return this.#model
  }

  /**
   * Trains on a data set, or on images and labels. Each call goes on with the weights, with a fresh optimizer. Unlike
   * Keras it leaves out, in each epoch, the images that fill no batch: others each time, as the order is another.
   * Until it has ended, `evaluate` and `predict` see the weights that it began with.
   * @throws InvalidArgumentError for images or labels of the wrong length, labels that are no classes, options that do not
   *   fit, and while another fit is under way
   */
  async fit(dataset: Dataset, options?: FitOptions): Promise<History>
  async fit(images: Images, labels: Labels, options?: FitOptions): Promise<History>
  async fit(x: Dataset | Images, y?: Labels | FitOptions, more?: FitOptions): Promise<History> {
    const whole = this.#dataset(x, y, '')
    const options = fitOptions.parse((isDataset(x) ? y : more) ?? {}, '')
    const { epochs, batchSize, augmentation, seed, onEpochEnd } = options
    const { training, validation } = this.#split(whole, options)
    const { learningRate, ...optimizer } = this.#options.optimizer
    const logs: Record<string, number>[] = []
    if (this.#fitting) throw new InvalidArgumentError('a fit of this classifier is under way: await it first')
    this.#fitting = true
    try {
      const { model } = await train(this.#model, {
        data: { train: training, ...(validation === undefined ? {} : { validation }) },
        epochs,
        batchSize: Math.min(batchSize, training.length),
        optimizer,
        schedule: { type: 'constant', rate: learningRate },
        labels: kerasLosses[this.#options.loss].labels,
        augmentation,
        seed,
        ...this.#inference(),
        onEpoch: async ({ epoch, loss, accuracy, validationLoss, validationAccuracy }) => {
          const held =
            validationLoss === undefined ? {} : { val_loss: validationLoss, val_accuracy: validationAccuracy! }
          logs.push({ loss, accuracy, ...held })
          await onEpochEnd?.(epoch - 1, logs[logs.length - 1])
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
    const { loss, accuracy } = await evaluate(this.#model, this.#dataset(x, y, ''), this.#inference())
    return { loss, accuracy }
  }

  /** @returns the probability of every class for every image, [images, classes] */
  async predict(images: Images): Promise<Float32Array> {
    return predictProbabilities(this.#model, images, this.#inference())
  }

  #inference() {
    const { engine, precision } = this.#options
    const { loss } = kerasLosses[this.#options.loss]
    return { loss, precision, ...(engine && { engine }) }
  }

  /** Labelled images, given as a data set or as two arrays. `path`: where. */
  #dataset(x: unknown, y: unknown, path: string): Dataset {
    if (isDataset(x)) return dataset('labelled images').parse(x, within(path, 'dataset'))
    const { preprocessing, labels: classes } = this.#model
    const isPixels = ArrayBuffer.isView(x) || Array.isArray(x)
    if (!isPixels) throw unexpected(within(path, 'images'), '8-bit pixels (a Uint8Array), or a data set', x)
    const images = pixelsOf(x, within(path, 'images'))
    const count = imageCount(images, preprocessing.size, within(path, 'images'))
    const form = kerasLosses[this.#options.loss].labels
    const labels = indicesOf(y, form, classes, within(path, 'labels'))
    if (labels.length !== count) {
      throw new SettingError(within(path, 'labels'), `expected one for each of ${count} images, got ${labels.length}`)
    }
    return arrayDataset({ images, labels, imageShape: preprocessing.size, classes })
  }

  #split(whole: Dataset, { validationData, validationSplit }: Pick<FitOptions, 'validationData' | 'validationSplit'>) {
    if (validationData !== undefined && validationSplit !== undefined) {
      throw new SettingError('validationSplit', 'give validationData or validationSplit, not both')
    }
    if (validationData !== undefined) {
      const [x, y] = isDataset(validationData) ? [validationData, undefined] : validationData
      return { training: whole, validation: this.#dataset(x, y, 'validationData') }
    }
    if (validationSplit === undefined) return { training: whole, validation: undefined }
    const first = Math.floor(whole.length * (1 - validationSplit))
    if (first === 0) throw new SettingError('validationSplit', `of ${whole.length} images it leaves none to train on`)
    const indices = Array.from({ length: whole.length }, (_, i) => i)
    return { training: subset(whole, indices.slice(0, first)), validation: subset(whole, indices.slice(first)) }
  }
}

/**
 * A model with the optimizer and loss it is to be trained with.
 * @throws SettingError for what is no model, and for an unknown loss or optimizer, offering the nearest
 */
export const compile = (model: Model, options: KerasCompileOptions): Classifier => new Classifier(model, options)

/**
 * Class indices of what a loss is given as labels.
 * @throws SettingError naming the first label that is none of this form
 */
function indicesOf(labels: unknown, form: 'index' | 'one-hot', classes: readonly string[], path: string): Int32Array {
  const all = asLabels(labels, path)
  if (typeof all[0] === 'string') return labelIndices(all, classes, path)
  const inRows = typeof all[0] === 'object' && all[0] !== null
  if (form === 'index') {
    if (!inRows) return labelIndices(all, classes, path)
    throw new SettingError(
      path,
      `expected class indices, got rows; for one-hot rows use the loss ${lossNames('one-hot')}`,
    )
  }
  if (!inRows && all.length % classes.length !== 0) {
    throw new SettingError(
      path,
      `one-hot labels of ${classes.length} classes come in rows of ${classes.length}, got ${all.length} numbers; ` +
        `for class indices use the loss ${lossNames('index')}`,
    )
  }
  const rows = inRows ? all.length : all.length / classes.length
  const rowAt = (i: number): unknown[] => {
    if (!inRows) return Array.prototype.slice.call(all, i * classes.length, (i + 1) * classes.length)
    const row = all[i]
    return typeof row === 'object' && row !== null ? Array.from(row as ArrayLike<unknown>) : [row]
  }
  return Int32Array.from({ length: rows }, (_, i) => placeOfOne(rowAt(i), classes.length, within(path, i)))
}

function placeOfOne(row: readonly unknown[], classes: number, path: string): number {
  const index = row.indexOf(1)
  if (row.length === classes && index >= 0 && row.every((value, c) => value === (c === index ? 1 : 0))) return index
  throw new SettingError(
    path,
    `it is not one-hot: expected ${classes} numbers, a 1 at its class and 0 elsewhere, got ${describeValue(row)}; ` +
      `for class indices use the loss ${lossNames('index')}`,
  )
}
