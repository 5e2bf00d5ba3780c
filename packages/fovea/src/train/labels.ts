/** @file Labels as a loss is fed them: class indices, or rows with a 1 at the class, shared where images were mixed, weighted. */
import { asLabels, checkClassIndices } from '../data/class-labels.js'
import type { Batch } from '../data/dataset.js'
import { SettingError } from '../errors.js'
import { custom, list, number, whole } from '../settings/kinds.js'
import type { Setting } from '../settings/setting.js'
import type { LabelForm } from './loss.js'

const classCount = whole('how many there are', { from: 1 })

/**
 * @param labels class indices
 * @returns [labels.length, classes] float32
 * @throws SettingError for an index that is no class
 */
export function oneHot(labels: ArrayLike<number>, classes: number): Float32Array {
  classCount.parse(classes, 'classes')
  checkClassIndices(asLabels(labels), classes)
  const rows = new Float32Array(labels.length * classes)
  for (let i = 0; i < labels.length; i++) rows[i * classes + labels[i]] = 1
  return rows
}

/** How much an image of each class counts: `balanced` gives every class the same weight in all, with a mean of 1. */
export type ClassWeights = 'balanced' | readonly number[]

/** The row of `ClassWeights`. */
export const classWeightsSetting: Setting<ClassWeights> = custom(
  'how much an image of each class counts',
  "'balanced' or a list with a number for each class",
  (value, path) =>
    value === 'balanced'
      ? value
      : list('', "a number for each class, or 'balanced'", number('of a class', { from: 0 })).parse(value, path),
)

/**
 * The weights by class.
 * @param labels of the training images
 * @throws SettingError for weights that are not one number for each class
 */
export function classWeightsOf(weights: ClassWeights, labels: Int32Array, classes: number): Float32Array {
  if (weights !== 'balanced') {
    if (weights.length !== classes) {
      const each = `a number for each of ${classes} classes`
      throw new SettingError('classWeights', `expected ${each}, or 'balanced', got ${weights.length}`)
    }
    return Float32Array.from(weights)
  }
  const counts = new Float64Array(classes)
  for (const label of labels) counts[label]++
  const present = counts.filter(count => count > 0).length
  return Float32Array.from(counts, count => (count === 0 ? 0 : labels.length / (present * count)))
}

/**
 * What a step is fed: 1 at the class or, of mixed images, their shares at both classes.
 * @returns [batch, classes] float32
 */
function labelRows({ labels, mix }: Pick<Batch, 'labels' | 'mix'>, classes: number): Float32Array {
  const rows = oneHot(labels, classes)
  if (mix === undefined) return rows
  for (let i = 0; i < labels.length; i++) {
    rows[i * classes + labels[i]] = 1 - mix.weight
    rows[i * classes + mix.labels[i]] += mix.weight
  }
  return rows
}

/** The class that each image shows most of: by it, accuracy is counted. */
export const dominantLabels = ({ labels, mix }: Pick<Batch, 'labels' | 'mix'>): Int32Array =>
  mix !== undefined && mix.weight > 0.5 ? mix.labels : labels

/**
 * The labels of a batch as the training graph takes them.
 * @param classWeights rows are multiplied by their class's; needs `one-hot`
 */
export function labelFeed(
  batch: Batch,
  classes: number,
  labels: LabelForm,
  classWeights?: Float32Array,
): Int32Array | Float32Array {
  if (labels === 'index') return batch.labels
  const rows = labelRows(batch, classes)
  if (classWeights) for (let i = 0; i < rows.length; i++) rows[i] *= classWeights[i % classes]
  return rows
}
