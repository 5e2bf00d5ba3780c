/** @file A data set whose images lie in memory, and the fingerprint of its bytes. */
import { InvalidArgumentError } from '../errors.js'
import { mix32 } from '../random.js'
import type { Dataset } from './dataset.js'

/** Images and labels in memory, and what they are. */
export interface ArrayDatasetOptions {
  /** For messages and run files. Default 'array'. */
  readonly name?: string
  /** [n, height, width, channels], 8 bits a channel; kept, not copied. */
  readonly images: Uint8Array
  /** [n] class indices. */
  readonly labels: ArrayLike<number>
  /** [height, width, channels] of every image. */
  readonly imageShape: readonly [number, number, number]
  readonly classes: readonly string[]
  /** A hash of the content, where it is known already. Default: computed. */
  readonly fingerprint?: string
}

/**
 * A data set over images in memory.
 * @throws InvalidArgumentError if the lengths do not fit together or a label is no class
 */
export function arrayDataset(options: ArrayDatasetOptions): Dataset {
  const { name = 'array', images, imageShape, classes } = options
  const labels = options.labels instanceof Int32Array ? options.labels : Int32Array.from(options.labels)
  const size = imageShape[0] * imageShape[1] * imageShape[2]
  if (!Number.isSafeInteger(size) || size < 1 || images.length !== labels.length * size) {
    throw new InvalidArgumentError(
      `data set '${name}': ${labels.length} labels and images of ${imageShape.join('×')} need ` +
        `${labels.length * size} bytes of pixels, got ${images.length}`,
    )
  }
  checkLabels(name, labels, classes)
  return {
    name,
    length: labels.length,
    imageShape,
    classes,
    fingerprint: options.fingerprint ?? fingerprintOf(images, labels),
    labels,
    read(indices, target) {
      for (let i = 0; i < indices.length; i++) {
        target.set(images.subarray(indices[i] * size, (indices[i] + 1) * size), i * size)
      }
    },
  }
}

/** @throws InvalidArgumentError naming the first label that is no index of `classes` */
function checkLabels(name: string, labels: Int32Array, classes: readonly string[]): void {
  const wrong = labels.findIndex(label => label < 0 || label >= classes.length)
  if (wrong >= 0) {
    throw new InvalidArgumentError(
      `data set '${name}': image ${wrong} has label ${labels[wrong]}, but there are ${classes.length} classes ` +
        `(0 to ${classes.length - 1})`,
    )
  }
}

/** A 64-bit hash of images and labels as 16 hexadecimal digits: tells data sets apart, resists no attack. */
export function fingerprintOf(images: Uint8Array, labels: Int32Array): string {
  let high = mix32(images.length)
  let low = mix32(labels.length + 1)
  const take = (word: number): void => {
    high = Math.imul((high << 13) | (high >>> 19), 5) ^ Math.imul(word, 0xcc9e2d51)
    low = Math.imul(((low << 15) | (low >>> 17)) ^ word, 0x1b873593) + 1
  }
  const whole = images.length & ~3
  for (let i = 0; i < whole; i += 4) {
    take(images[i] | (images[i + 1] << 8) | (images[i + 2] << 16) | (images[i + 3] << 24))
  }
  for (let i = whole; i < images.length; i++) take(images[i])
  for (const label of labels) take(label)
  const hex = (word: number): string => mix32(word).toString(16).padStart(8, '0')
  return hex(high) + hex(low)
}
