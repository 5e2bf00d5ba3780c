/** @file The classes of images as people hand them in: by index or by name. Anything else would quietly become class 0. */
import { nearestHint, SettingError } from '../errors.js'
import { describeValue, isArrayLike, typeOf } from '../settings/describe.js'
import { unexpected, within } from '../settings/setting.js'

/** The class of each image: its index, or its name. */
export type ClassLabels = ArrayLike<number> | readonly string[]

/** @throws SettingError unless the labels are a list or an array */
export function asLabels(labels: unknown, path = 'labels'): ArrayLike<unknown> {
  if (!isArrayLike(labels)) throw unexpected(path, 'a class index or the name of a class for each image', labels)
  return labels
}

/**
 * The index of each image's class; an Int32Array is taken as it is.
 * @param classes the names, in the order of their indices
 * @throws SettingError naming the first label that is no class
 */
export function labelIndices(labels: unknown, classes: readonly string[], path = 'labels'): Int32Array {
  const all = asLabels(labels, path)
  const indexOf = new Map(classes.map((name, index) => [name, index]))
  const indices = typeOf(all) === 'Int32Array' ? (all as Int32Array) : new Int32Array(all.length)
  for (let i = 0; i < all.length; i++) {
    const label = all[i]
    const index = typeof label === 'string' ? indexOf.get(label) : label
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= classes.length) {
      throw noClass(label, classes, within(path, i))
    }
    if (indices !== all) indices[i] = index
  }
  return indices
}

/** @throws SettingError naming the first label that is none of the classes, which have no names here */
export function checkClassIndices(labels: ArrayLike<unknown>, classes: number): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]
    if (Number.isInteger(label) && (label as number) >= 0 && (label as number) < classes) continue
    throw unexpected(within('labels', i), `the index of one of ${classes} classes (0 to ${classes - 1})`, label)
  }
}

function noClass(label: unknown, classes: readonly string[], path: string): SettingError {
  if (typeof label === 'string') return new SettingError(path, `unknown class '${label}'${nearestHint(label, classes)}`)
  const expected = `the name or the index of one of ${classes.length} classes (0 to ${classes.length - 1})`
  const isRow = typeof label === 'object' && label !== null && Symbol.iterator in label
  const problem = `expected ${expected}, got ${describeValue(label)}`
  if (isRow) return new SettingError(path, `${problem}; of a one-hot row, give the place of the 1`)
  if (typeof label === 'bigint') return new SettingError(path, `${problem}; write Int32Array.from(labels, Number)`)
  return new SettingError(path, problem)
}
