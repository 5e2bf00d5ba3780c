/** @file What `train` can be asked for, whom it tells of its progress, and how all of that is read. */
import type { DataSplits, Dataset } from '../data/dataset.js'
import { checkNotEmpty, dataset, isDataset } from '../data/dataset-setting.js'
import type { CompileOptions, Engine } from '../engines/engine.js'
import { compileSettings, engine } from '../engines/engine-setting.js'
import { nearestHint, SettingError } from '../errors.js'
import type { Model } from '../models/model.js'
import { model as modelSetting } from '../models/model-setting.js'
import { type MemoryUse, memorySetting } from '../passes/recompute.js'
import { isPromise, isRecord } from '../settings/describe.js'
import { group, type Rows } from '../settings/group.js'
import { callback, custom, number } from '../settings/kinds.js'
import { unexpected, within } from '../settings/setting.js'
import type { FeatureReport } from './fixed-features.js'
import { askedSettings, epochsSetting, type RecipeChoice, type TrainingSettings } from './settings.js'
import type { ResolvedSettings } from './settings-table.js'
import {
  type Checkpoint,
  type EpochMetrics,
  type LossScaleState,
  type TrainingState,
  trainingState,
} from './training-state.js'

/** A run: its data, its length, its settings (those not given come from the recipe), and who is told of it. */
export interface TrainOptions extends Partial<TrainingSettings>, RecipeChoice, CompileOptions {
  /**
   * Training images, and held-out ones. `validation` (default: `test`) is measured after each epoch and decides nothing but
   * early stopping and which epoch was the best; `test` (default: `validation`) is what the run is evaluated on.
   */
  readonly data: TrainingData
  /** Default: as many as the recipe's steps make, where it says how many. */
  readonly epochs?: number
  /** The trained model that this one learns from beside the labels: of the same images and classes. */
  readonly teacher?: Model
  /** Default: the best that is there (`defaultEngine`). */
  readonly engine?: Engine
  /** `low` needs less memory and more time, for the same results. Default `standard`. */
  readonly memory?: MemoryUse
  /** Goes on from here; `model` is then the one that was saved with it. */
  readonly resume?: TrainingState
  /** Aborting it ends the run after the step under way; what was done is saved. */
  readonly signal?: { readonly aborted: boolean }
  /** Once all is checked and compiled, before the first step. What this or any of the next three throws ends the run. */
  readonly onStart?: (run: RunStart) => void | Promise<void>
  /** After each step. The next one waits for a promise that it returns. */
  readonly onStep?: (progress: StepProgress) => void
  /** After each epoch, before it is saved. */
  readonly onEpoch?: (epoch: EpochReport) => void | Promise<void>
  /** Keeps a state from which the run can go on: after each epoch, now and then within a long one, and when interrupted. */
  readonly save?: (checkpoint: Checkpoint, moment: SaveMoment) => void | Promise<void>
  /** Within an epoch, what a crash can cost at most; 0 saves after every step. Default 300. */
  readonly saveSeconds?: number
}

/** The images of a run. */
export type TrainingData = Pick<DataSplits, 'train'> & Partial<DataSplits>

/** When a state is saved. */
export interface SaveMoment {
  /** Whether an epoch has just ended; otherwise one is under way. */
  readonly epochEnded: boolean
  /** After an epoch with the lowest held-out loss so far: the model as it was evaluated. */
  readonly best?: Model
}

/** What a run is made of, with all that was not given filled in. */
export interface RunStart {
  readonly settings: ResolvedSettings
  readonly epochs: number
  /** Where a part is frozen and nothing changes the images: of how many its features were computed, once, and how long it took. */
  readonly features?: FeatureReport
}

/** Means over the epoch so far. */
export interface StepProgress {
  /** From 1. */
  readonly epoch: number
  readonly epochs: number
  /** Steps done of this epoch, and how many it has. */
  readonly step: number
  readonly steps: number
  readonly loss: number
  readonly accuracy: number
  readonly learningRate: number
  readonly imagesPerSecond: number
  /** For all epochs; an estimate. */
  readonly secondsLeft: number
  /** In float16: where dynamic loss scaling stands. */
  readonly lossScale?: LossScaleState
}

/** What an epoch came to, and how long it took. */
export interface EpochReport extends EpochMetrics {
  /** Of the whole run. */
  readonly epochs: number
  /** Of training alone. */
  readonly imagesPerSecond: number
  /** With the evaluation. */
  readonly seconds: number
  /** In float16: where dynamic loss scaling stands, and how many steps were skipped so far. */
  readonly lossScale?: LossScaleState
}

const splitNames = ['train', 'validation', 'test'] as const
const splits = "data sets by name, { train, test }, as `await cifar10()` of 'fovea-cli/data' gives them"
const images = dataset('labelled images')

/** Training and held-out images. What else a loader tells of them is left alone. */
export const dataSetting = custom('training and held-out images', splits, (value, path): TrainingData => {
  if (isDataset(value)) throw unexpected(path, splits, value, `write ${path}: { train: … }`)
  if (!isRecord(value)) {
    throw unexpected(path, splits, value, typeof value === 'function' ? 'call it' : undefined)
  }
  const other = Object.keys(value).find(
    name => !(splitNames as readonly string[]).includes(name) && (isDataset(value[name]) || isPromise(value[name])),
  )
  if (other !== undefined) {
    throw new SettingError(within(path, other), `unknown part${nearestHint(other, splitNames)}`)
  }
  const part = (name: (typeof splitNames)[number]): Dataset => {
    const found = images.parse(value[name], within(path, name))
    checkNotEmpty(found, within(path, name))
    return found
  }
  const { validation, test } = value
  return {
    train: part('train'),
    ...(validation !== undefined && { validation: part('validation') }),
    ...(test !== undefined && { test: part('test') }),
  }
})

const signalSetting = custom(
  'ends the run',
  "an AbortController's signal",
  (value, path): { readonly aborted: boolean } => {
    if (typeof value === 'object' && value !== null && 'aborted' in value) return value as { readonly aborted: boolean }
    const holdsOne = typeof value === 'object' && value !== null && 'signal' in value
    throw unexpected(path, "an AbortController's signal", value, holdsOne ? 'its `signal` is one' : undefined)
  },
)

type Callbacks = Pick<TrainOptions, 'onStart' | 'onStep' | 'onEpoch' | 'save'>

/** The table of `TrainOptions`: of each what it is, which values it takes and what holds where it is not given. */
export const trainSettings = {
  data: dataSetting,
  epochs: epochsSetting.optional(),
  ...askedSettings,
  ...compileSettings,
  teacher: modelSetting.optional(),
  engine,
  memory: memorySetting,
  resume: trainingState.optional(),
  signal: signalSetting.optional(),
  onStart: callback<NonNullable<Callbacks['onStart']>>('before the first step').optional(),
  onStep: callback<NonNullable<Callbacks['onStep']>>('after each step').optional(),
  onEpoch: callback<NonNullable<Callbacks['onEpoch']>>('after each epoch').optional(),
  save: callback<NonNullable<Callbacks['save']>>('keeps a state').optional(),
  saveSeconds: number('what a crash within an epoch can cost at most', { from: 0 }).default(300),
} satisfies Rows<TrainOptions>

export const trainOptions = group('a run', trainSettings)
