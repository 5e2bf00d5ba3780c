/** @file One-hot labels: rows with a 1 at the class. */
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
