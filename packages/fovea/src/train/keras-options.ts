/** @file What Keras's `compile` and `fit` take, under Keras's names and with its defaults, and how all of that is read. */
import { augmentationSetting } from '../data/augment/augmentation.js'
import type { ClassLabels } from '../data/class-labels.js'
import type { Augmentation, Dataset } from '../data/dataset.js'
import { isDataset } from '../data/dataset-setting.js'
import type { Images } from '../data/pixels.js'
import type { Engine } from '../engines/engine.js'
import { engine } from '../engines/engine-setting.js'
import { oneOf } from '../errors.js'
import { type Precision, precisionSettings } from '../passes/mixed-precision.js'
import { group, type Rows, type ValueOf, variants } from '../settings/group.js'
import { callback, choice, custom, list, number, whole } from '../settings/kinds.js'
import { unexpected } from '../settings/setting.js'
import { type OptimizerOptions, optimizerSettings } from './optimizers/index.js'
import { epochsSetting } from './settings.js'

/** What Keras calls our losses. `labels`: what the labels handed to `fit` must be. */
export const kerasLosses = {
  categorical_crossentropy: { loss: 'cross-entropy', labels: 'one-hot' },
  sparse_categorical_crossentropy: { loss: 'cross-entropy', labels: 'index' },
  mean_squared_error: { loss: 'mean-squared-error', labels: 'one-hot' },
} as const
/** A loss by Keras's name. */
export type KerasLoss = keyof typeof kerasLosses

/** What Keras's `compile` takes. */
export interface KerasCompileOptions {
  /** A name, or a name with numbers: `{ type: 'adam', learningRate: 1e-4 }`. Default `rmsprop`, as in Keras. */
  readonly optimizer?: OptimizerOptions['type'] | (OptimizerOptions & { readonly learningRate?: number })
  readonly loss: KerasLoss
  /** Accuracy is always measured. */
  readonly metrics?: readonly 'accuracy'[]
  readonly engine?: Engine
  readonly precision?: Precision
}

/** Class indices or names [images], or one-hot rows [images · classes] or [images][classes], as the loss wants them. */
export type Labels = ClassLabels | readonly ArrayLike<number>[]

/** What Keras's `fit` takes, in the spelling of JavaScript. */
export interface FitOptions {
  /** Default 1. */
  readonly epochs?: number
  /** Default 32. */
  readonly batchSize?: number
  readonly validationData?: Dataset | readonly [Images, Labels]
  /** The last part of the training images, held out. Not beside `validationData`. */
  readonly validationSplit?: number
  readonly augmentation?: Augmentation
  /** Default 0. */
  readonly seed?: number
  /** As Keras's `LambdaCallback`: the numbers of each epoch, `val_` in front of those of the held-out images. */
  readonly onEpochEnd?: (epoch: number, logs: Readonly<Record<string, number>>) => void
}

const learningRate = number('the learning rate', { above: 0 })
const { sgd, adam, adamw, rmsprop } = optimizerSettings

/** Keras's learning rates and, where they differ from ours, its other numbers. */
const withNumbers = variants('how weights are updated', {
  sgd: { ...sgd, learningRate: learningRate.default(0.01) },
  adam: { ...adam, learningRate: learningRate.default(0.001) },
  adamw: { ...adamw, learningRate: learningRate.default(0.001), weightDecay: adamw.weightDecay.default(0.004) },
  rmsprop: {
    ...rmsprop,
    learningRate: learningRate.default(0.001),
    momentum: rmsprop.momentum.default(0),
    epsilon: rmsprop.epsilon.default(1e-7),
  },
})

const optimizerNames = Object.keys(optimizerSettings) as OptimizerOptions['type'][]
const byName = choice('by name', optimizerNames)

const optimizer = custom('how weights are updated', `${byName.expected}, or { type, … }`, (value, path) => {
  if (typeof value === 'string') return withNumbers.parse({ type: byName.parse(value, path) }, path)
  return withNumbers.parse(value, path)
})

/** The table of `KerasCompileOptions`. */
export const kerasCompileOptions = group('how a model is fitted', {
  optimizer: optimizer.default(withNumbers.parse({ type: 'rmsprop' }, 'optimizer')),
  loss: choice('what is made smaller', Object.keys(kerasLosses) as KerasLoss[]),
  metrics: list('beside the loss', `names of metrics, ['accuracy']`, choice('a metric', ['accuracy'])).default([]),
  engine,
  precision: precisionSettings.precision,
} satisfies Rows<Omit<KerasCompileOptions, 'optimizer'>> & { readonly optimizer: unknown })

/** What `compile` was given, complete. */
export type CompiledWith = ValueOf<typeof kerasCompileOptions>

const heldOut = 'a data set, or [images, labels]'

/** The table of `FitOptions`. */
export const fitOptions = group('how long a model is fitted, and to what', {
  epochs: epochsSetting.default(1),
  batchSize: whole('images per step', { from: 1 }).default(32),
  validationData: custom('held-out images', heldOut, (value, path): Dataset | readonly [Images, Labels] => {
    if (isDataset(value) || (Array.isArray(value) && value.length === 2)) return value as Dataset | [Images, Labels]
    throw unexpected(path, heldOut, value)
  }).optional(),
  validationSplit: number('the last part of the training images, held out', { above: 0, below: 1 }).optional(),
  augmentation: augmentationSetting.default({}),
  seed: whole('of the order of images, their augmentation, dropout').default(0),
  onEpochEnd: callback<NonNullable<FitOptions['onEpochEnd']>>('after each epoch').optional(),
} satisfies Rows<FitOptions>)

/** For messages. */
export const lossNames = (labels: 'index' | 'one-hot'): string =>
  oneOf(Object.entries(kerasLosses).flatMap(([name, loss]) => (loss.labels === labels ? [`'${name}'`] : [])))
