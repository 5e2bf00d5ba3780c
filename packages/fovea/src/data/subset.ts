/** @file Parts of a data set: by index, as a class-balanced slice, or split into training and held-out images. */
import { SettingError } from '../errors.js'
import { permutation, randomKey, streamOf } from '../random.js'
import { isArrayLike } from '../settings/describe.js'
import { checkArguments } from '../settings/group.js'
import { number, text, thing, typedArray, whole } from '../settings/kinds.js'
import { fingerprintOf } from './array-dataset.js'
import { batchesOf } from './batches.js'
import { checkClassIndices } from './class-labels.js'
import type { DataSplits, Dataset } from './dataset.js'
import { checkIndices, dataset as datasetSetting } from './dataset-setting.js'

const labelledImages = datasetSetting('labelled images')
const seedSetting = whole('of the choice of images')

const subsetArguments = {
  dataset: labelledImages,
  indices: thing('of its images', 'other', 'a list or a typed array of indices', isArrayLike),
  name: text('for messages and run files'),
}

/**
 * A view of some images of a data set, in the given order; copies no pixels. Batches are prepared by the whole data set
 * (on its worker, if it has one), and an image is augmented as it would be there.
 * @throws SettingError for an index at which there is no image
 */
export function subset(dataset: Dataset, indices: ArrayLike<number>, name = dataset?.name): Dataset {
  checkArguments(subsetArguments, { dataset, indices, name })
  checkIndices(indices, dataset)
  const chosen = Uint32Array.from(indices)
  const { hashes } = dataset
  const inWhole = (within?: Uint32Array): Uint32Array => within?.map(i => chosen[i]) ?? chosen
  return {
    name,
    length: chosen.length,
    imageShape: dataset.imageShape,
    classes: dataset.classes,
    fingerprint: `${dataset.fingerprint}-${fingerprintOf(new Uint8Array(chosen.buffer), new Int32Array())}`,
    labels: Int32Array.from(chosen, index => dataset.labels[index]),
    ...(hashes && { hashes: Array.from(chosen, index => hashes[index]) }),
    read: (within, target) =>
      dataset.read(
        Uint32Array.from(within, i => chosen[i]),
        target,
      ),
    batches: options => batchesOf(dataset, { ...options, indices: inWhole(options.indices) }),
  }
}

const concatArguments = { first: labelledImages, second: labelledImages, name: text('for messages and run files') }

/**
 * One data set after another, as one. Batches of it are prepared inline.
 * @throws SettingError if they have images of other sizes or other classes
 */
export function concat(first: Dataset, second: Dataset, name = first?.name): Dataset {
  checkArguments(concatArguments, { first, second, name })
  const { imageShape, classes } = first
  const size = imageShape[0] * imageShape[1] * imageShape[2]
  const same = (a: readonly unknown[], b: readonly unknown[]): boolean =>
    a.length === b.length && a.every((value, i) => value === b[i])
  if (!same(imageShape, second.imageShape) || !same(classes, second.classes)) {
    throw new SettingError(
      'second',
      `data sets '${first.name}' and '${second.name}' differ in the size of their images, or in their classes`,
    )
  }
  return {
    ...{ name, length: first.length + second.length, imageShape, classes },
    fingerprint: `${first.fingerprint}+${second.fingerprint}`,
    labels: Int32Array.from([...first.labels, ...second.labels]),
    ...(first.hashes && second.hashes && { hashes: [...first.hashes, ...second.hashes] }),
    read(indices, target) {
      for (let i = 0; i < indices.length; i++) {
        const at = indices[i]
        const image = target.subarray(i * size, (i + 1) * size)
        if (at < first.length) first.read([at], image)
        else second.read([at - first.length], image)
      }
    },
  }
}

const splitArguments = {
  dataset: labelledImages,
  fraction: number('how much is held out', { above: 0, below: 1 }),
  seed: seedSetting,
}

/**
 * The data set in two: `test` holds about `fraction` of each class, `train` the rest, both in the data set's order.
 * A class of two images or more is in both. Deterministic in `seed`.
 * @param fraction held out, between 0 and 1
 * @throws SettingError for another fraction
 */
export function split(dataset: Dataset, fraction: number, seed = 0): DataSplits {
  checkArguments(splitArguments, { dataset, fraction, seed })
  const heldOut = splitLabels(dataset.labels, dataset.classes.length, fraction, seed)
  const indices = Array.from(dataset.labels.keys())
  return {
    train: subset(
      dataset,
      indices.filter(i => !heldOut[i]),
    ),
    test: subset(
      dataset,
      indices.filter(i => heldOut[i]),
    ),
  }
}

const splitLabelsArguments = {
  labels: typedArray('of all images', 'Int32Array'),
  classes: whole('how many there are', { from: 1 }),
  fraction: splitArguments.fraction,
  seed: seedSetting,
}

/** Which images are held out: 1 for about `fraction` of each class's, at least one where a class has two or more. */
export function splitLabels(labels: Int32Array, classes: number, fraction: number, seed: number): Uint8Array {
  checkArguments(splitLabelsArguments, { labels, classes, fraction, seed })
  checkClassIndices(labels, classes)
  const heldOut = new Uint8Array(labels.length)
  membersByClass(labels, classes, seed).forEach(members => {
    const count = Math.min(members.length - 1, Math.max(1, Math.round(members.length * fraction)))
    for (let i = 0; i < count; i++) heldOut[members[i]] = 1
  })
  return heldOut
}

const takeArguments = {
  dataset: labelledImages,
  count: whole('how many images', { from: 1 }),
  seed: seedSetting,
}

/**
 * `count` images in the proportions of the classes, at least one of each, in the data set's order; the whole data set if it
 * has no more. Deterministic in `seed`.
 * @throws SettingError for fewer images than classes
 */
export function take(dataset: Dataset, count: number, seed = 0): Dataset {
  checkArguments(takeArguments, { dataset, count, seed })
  if (count >= dataset.length) return dataset
  const members = membersByClass(dataset.labels, dataset.classes.length, seed)
  const counts = proportions(
    members.map(({ length }) => length),
    count,
  )
  if (counts === undefined) {
    const classes = members.flatMap(({ length }, label) => (length > 0 ? [`'${dataset.classes[label]}'`] : []))
    const few = `${classes.slice(0, 5).join(', ')}${classes.length > 5 ? ' …' : ''}`
    throw new SettingError(
      'count',
      `${count} images of data set '${dataset.name}' cannot be of all its ${classes.length} classes (${few}); ` +
        `take ${classes.length} or more`,
    )
  }
  const chosen = members.flatMap((indices, label) => indices.slice(0, counts[label]))
  return subset(
    dataset,
    chosen.sort((a, b) => a - b),
  )
}

/**
 * `count` in parts as large, in proportion, as each of `lengths`, at least 1 where there is any; undefined if that cannot be.
 * What rounding down leaves over goes to the largest remainders; what the ones take too much, the largest parts give.
 */
function proportions(lengths: readonly number[], count: number): number[] | undefined {
  const total = lengths.reduce((sum, length) => sum + length, 0)
  const shares = lengths.map(length => (count * length) / total)
  const counts = shares.map((share, i) => (lengths[i] > 0 ? Math.max(1, Math.floor(share)) : 0))
  let left = count - counts.reduce((sum, n) => sum + n, 0)
  const byRemainder = Array.from(shares.keys())
    .filter(i => shares[i] >= 1)
    .sort((a, b) => (shares[b] % 1) - (shares[a] % 1) || a - b)
  for (const i of byRemainder.slice(0, Math.max(0, left))) counts[i]++
  for (; left < 0; left++) {
    const most = counts.indexOf(Math.max(...counts))
    if (counts[most] <= 1) return undefined
    counts[most]--
  }
  return counts
}

/** The indices of each class's images, shuffled by (seed, class). */
function membersByClass(labels: Int32Array, classes: number, seed: number): number[][] {
  const members: number[][] = Array.from({ length: classes }, () => [])
  for (let i = 0; i < labels.length; i++) members[labels[i]].push(i)
  const key = randomKey(seed, streamOf('split'))
  return members.map((indices, label) =>
    Array.from(permutation(indices.length, randomKey(key, label)), i => indices[i]),
  )
}
