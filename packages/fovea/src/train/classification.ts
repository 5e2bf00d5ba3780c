/** @file Classification as a task: one class an image. Its parts are in labels.ts (targets), loss.ts and metrics.ts. */
import type { Dataset } from '../data/dataset.js'
import { unknownName } from '../errors.js'
import type { Value } from '../graph/graph.js'
import type { Model } from '../models/model.js'
import type { ReliabilityBin } from './calibration.js'
import { classWeightsOf, dominantLabels, labelFeed } from './labels.js'
import { type LossOptions, lossOf } from './loss.js'
import {
  ClassificationMetrics,
  type ClassMetrics,
  classMetrics,
  countCorrect,
  type Mistake,
  probabilities,
} from './metrics.js'
import type { ResolvedSettings } from './settings-table.js'
import type { Measures, OutputValues, Task } from './task.js'

/** What a classifier comes to on labelled images. */
export interface ClassificationMeasures extends Measures {
  readonly top5: number
  /** [actual][predicted] counts. */
  readonly confusion: readonly (readonly number[])[]
  /** One row a class. */
  readonly classes: readonly ClassMetrics[]
  /** The expected calibration error: how far confidence and accuracy are apart; 0 is perfect. */
  readonly calibrationError: number
  /** Confidence beside accuracy, from which that error is. */
  readonly reliability: readonly ReliabilityBin[]
  /** The class that each image was taken for, by its index among the model's. */
  readonly predictions: readonly number[]
  /** The worst, highest loss first; 40 at most. */
  readonly mistakes: readonly Mistake[]
}

export interface ClassificationOptions extends LossOptions {
  /** Class names, in the order of the logits. */
  readonly classes: readonly string[]
  /** How much an image of each class counts in training; all alike where there are none. */
  readonly weights?: Float32Array
}

/** Images to classes. Decoded, outputs are the probability of every class, [images, classes]. */
export function classification(options: ClassificationOptions): Task<ClassificationMeasures, Float32Array> {
  const { classes, weights, labels, loss } = options
  const count = classes.length
  return {
    outputs: ['logits'],
    targets: batch => ({ label: labelFeed(batch, count, labels, weights) }),
    loss: (builder, outputs) => lossOf(builder, logitsIn(outputs), options),
    metrics() {
      const sums = new ClassificationMetrics(count, loss)
      return {
        add: ({ logits }, batch) => sums.add(logits, batch.labels, batch.count),
        get result() {
          const { loss, accuracy, top5, images, confusion, calibration, predictions, mistakes } = sums
          const calibrated = { calibrationError: calibration.error, reliability: calibration.bins }
          const byClass = classMetrics(confusion, classes)
          const numbers = { loss, accuracy, top5, images }
          return { ...numbers, confusion, classes: byClass, ...calibrated, predictions, mistakes }
        },
      }
    },
    correct: ({ logits }, batch) => countCorrect(logits, dominantLabels(batch), count),
    decode({ logits }, batch) {
      const rows = new Float32Array(batch.count * count)
      for (let i = 0; i < rows.length; i += count) rows.set(probabilities(logits.subarray(i, i + count)), i)
      return rows
    },
  }
}

/**
 * The task of a run.
 * @param images those to train on
 * @throws SettingError for class weights that are not one for each class
 */
export function classificationOf({ labels: classes }: Model, settings: ResolvedSettings, images: Dataset) {
  const { classWeights } = settings
  const weights = classWeights && classWeightsOf(classWeights, images.labels, classes.length)
  return classification({ ...settings, classes, ...(weights && { weights }) })
}

/** @throws InvalidArgumentError for outputs that are no classifier's */
export function logitsIn(outputs: OutputValues): Value {
  const logits = outputs.get('logits')
  if (logits === undefined) throw unknownName('output', 'logits', [...outputs.keys()])
  return logits
}
