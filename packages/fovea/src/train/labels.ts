/** @file Labels as rows over the classes: one-hot, or shared by two classes where images were mixed. */
import type { Batch } from '../data/dataset.js'
import { InvalidArgumentError } from '../errors.js'

/**
 * @param labels class indices
 * @returns [labels.length, classes] float32
 * @throws InvalidArgumentError for an index that is no class
 */
export function oneHot(labels: ArrayLike<number>, classes: number): Float32Array {
  const rows = new Float32Array(labels.length * classes)
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new InvalidArgumentError(`label ${label} at ${i} is not one of ${classes} classes`)
    }
    rows[i * classes + label] = 1
  }
  return rows
}

/**
 * What a step is fed: 1 at the class or, of mixed images, their shares at both classes.
 * @returns [batch, classes] float32
 */
export function labelRows({ labels, mix }: Pick<Batch, 'labels' | 'mix'>, classes: number): Float32Array {
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
