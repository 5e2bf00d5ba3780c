/** @file A data set whose images lie in memory, and the fingerprint of its bytes. */
import { SettingError } from '../errors.js'
import { mix32 } from '../random.js'
import { checkArguments, group, type Rows } from '../settings/group.js'
import { custom, list, text, typedArray } from '../settings/kinds.js'
import type { Setting } from '../settings/setting.js'
import { asLabels, type ClassLabels, labelIndices } from './class-labels.js'
import type { Dataset } from './dataset.js'
import { imageSize } from './dataset-setting.js'
import { type Images, pixelsOf } from './pixels.js'

/** Images and labels in memory, and what they are. */
export interface ArrayDatasetOptions {
  /** For messages and run files. Default 'array'. */
  readonly name?: string
  /** [n, height, width, channels], 8 bits a channel; kept, not copied. */
  readonly images: Images
  /** [n] class indices, or names of classes. */
  readonly labels: ClassLabels
  /** [height, width, channels] of every image. */
  readonly imageShape: readonly [number, number, number]
  readonly classes: readonly string[]
  /** A hash of the content, where it is known already. Default: computed. */
  readonly fingerprint?: string
}

const settings = group('images and labels in memory', {
  name: text('for messages and run files').default('array'),
  images: custom('of all images, one after another', '8-bit pixels', pixelsOf),
  labels: custom('of all images', 'the class of each image', asLabels),
  imageShape: imageSize('of every image'),
  classes: list('in the order of the label indices', 'class names', text('a class')),
  fingerprint: text('a hash of the content').optional(),
} satisfies Rows<Omit<ArrayDatasetOptions, 'labels'>> & { readonly labels: Setting<ArrayLike<unknown>> })

/**
 * A data set over images in memory.
 * @throws SettingError if the lengths do not fit together, for what are no 8-bit pixels, and for a label that is no class
 */
export function arrayDataset(options: ArrayDatasetOptions): Dataset {
  const { name, images, imageShape, classes, ...given } = settings.parse(options, '')
  const size = imageShape[0] * imageShape[1] * imageShape[2]
  const count = given.labels.length
  if (images.length !== count * size) {
    const oneHot = images.length * classes.length === count * size ? '; of one-hot rows, give the class indices' : ''
    throw new SettingError(
      'images',
      `${count} labels and images of ${imageShape.join('×')} need ${count * size} bytes of pixels, got ${images.length}${oneHot}`,
    )
  }
  const labels = labelIndices(given.labels, classes)
  return {
    name,
    length: labels.length,
    imageShape,
    classes,
    fingerprint: given.fingerprint ?? fingerprintOf(images, labels),
    labels,
    read(indices, target) {
      for (let i = 0; i < indices.length; i++) {
        target.set(images.subarray(indices[i] * size, (indices[i] + 1) * size), i * size)
      }
    },
  }
}

const fingerprintArguments = {
  images: typedArray('of all images, one after another', 'Uint8Array'),
  labels: typedArray('of all images', 'Int32Array'),
}

/** A 64-bit hash of images and labels as 16 hexadecimal digits: tells data sets apart, resists no attack. */
export function fingerprintOf(images: Uint8Array, labels: Int32Array): string {
  checkArguments(fingerprintArguments, { images, labels })
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
