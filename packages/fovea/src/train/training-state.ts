/** @file Where a run stands, as plain data that can be saved: all that it needs to go on as if it had never stopped. */
import type { Attributes } from '../graph/graph.js'
import type { Model, Weights } from '../models/model.js'
import { isRecord, typeOf } from '../settings/describe.js'
import { custom } from '../settings/kinds.js'
import { type Setting, unexpected } from '../settings/setting.js'

/** What is measured of an epoch; losses are means over its images, accuracies fractions. */
export interface EpochMetrics {
  /** From 1. */
  readonly epoch: number
  readonly loss: number
  readonly accuracy: number
  /** On held-out images, where there are any. */
  readonly validationLoss?: number
  readonly validationAccuracy?: number
}

/** Where dynamic loss scaling stands (train/features/loss-scale.ts). */
export interface LossScaleState {
  readonly scale: number
  /** Steps since the scale changed. */
  readonly goodSteps: number
  /** Steps that did not count, as their gradients were not finite. */
  readonly skippedSteps: number
}

/**
 * What training needs beside the weights to go on as if it had never stopped. Every random number is a function of the
 * seed (in `settings`), the epoch, the step and a name, so these are the random state too.
 */
export interface TrainingState {
  /** All that decides the run's bits, by name; a run goes on with the same only. */
  readonly settings: Attributes
  /** The fingerprints of the training images and, where there are any, of those held out. */
  readonly data: string
  readonly heldOut?: string
  /** Epochs that are complete. */
  readonly epoch: number
  /** Steps done of the epoch under way, and the sums of their losses and of the images they got right. */
  readonly step: number
  readonly lossSum: number
  readonly correct: number
  /** One row a complete epoch. */
  readonly history: readonly EpochMetrics[]
  /** Of float16, where it trains in it. */
  readonly lossScale?: LossScaleState
  /** Slots of optimizer and averages, as `conv1.weight:velocity`. */
  readonly slots: Weights
}

/** What a saved file holds: a model and, of a run that can go on, its state. */
export interface Checkpoint {
  readonly model: Model
  readonly training?: TrainingState
}

const expected = 'the state of a run, `training` of a checkpoint that `save` was given'

/** The state of a run as an argument: anything may be given, what a run can go on from is taken. */
export const trainingState: Setting<TrainingState> = custom('where a run stands', expected, (value, path) => {
  if (isRecord(value)) {
    const { slots, history, settings } = value
    if (typeOf(slots) === 'Map' && Array.isArray(history) && isRecord(settings))
      return value as unknown as TrainingState
  }
  throw unexpected(path, expected, value, isRecord(value) && 'training' in value ? 'its `training` is one' : undefined)
})
