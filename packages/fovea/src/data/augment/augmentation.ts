/** @file What can be done to training images, and that it was asked for rightly. What each means is in its own file. */
import { InvalidArgumentError, unknownName } from '../../errors.js'
import { type ColorJitterOptions, checkColorJitter } from './color-jitter.js'
import { type CropOptions, checkCrop, checkFlip, type Flip } from './crop-and-flip.js'
import { checkErase, type EraseOptions } from './erase.js'
import { checkMix, type MixOptions } from './mix.js'
import { checkPolicy, type PolicyOptions } from './policy.js'
import { checkResizedCrop, type ResizedCropOptions } from './resized-crop.js'

/**
 * Random changes to training images, in this order: resized crop or crop, flip, policy, colour jitter (all on 8-bit
 * levels), normalization, erase, mix. A pure function of (seed, epoch, image index); only `mix` looks at the whole batch.
 */
export interface Augmentation {
  /** A random part, enlarged. Not beside `crop`. */
  readonly resizedCrop?: ResizedCropOptions
  /** A random translation. */
  readonly crop?: CropOptions
  /** Mirrors half of the images. */
  readonly flip?: Flip
  /** A few of many operations, drawn for each image. */
  readonly policy?: PolicyOptions
  /** Brightness, contrast, saturation and hue. */
  readonly colorJitter?: ColorJitterOptions
  /** A part becomes the mean colour. */
  readonly erase?: EraseOptions
  /** Images and labels are mixed with those of another image of the batch. */
  readonly mix?: MixOptions
}

/** In the order in which they change an image. */
const names: readonly (keyof Augmentation)[] = ['resizedCrop', 'crop', 'flip', 'policy', 'colorJitter', 'erase', 'mix']

/**
 * @param size [height, width, channels] of the images
 * @throws InvalidArgumentError naming the augmentation that is unknown or does not fit the images
 */
export function checkAugmentation(augmentation: Augmentation, size: readonly number[]): void {
  const unknown = Object.keys(augmentation).find(name => !(names as readonly string[]).includes(name))
  if (unknown !== undefined) throw unknownName('augmentation', unknown, names)
  const { resizedCrop, crop, flip, policy, colorJitter, erase, mix } = augmentation
  if (resizedCrop !== undefined && crop !== undefined) {
    throw new InvalidArgumentError('give crop (a translation) or resizedCrop (an enlarged part), not both')
  }
  if (resizedCrop !== undefined) checkResizedCrop(resizedCrop)
  if (crop !== undefined) checkCrop(crop, size)
  if (flip !== undefined) checkFlip(flip)
  if (policy !== undefined) checkPolicy(policy)
  if (colorJitter !== undefined) checkColorJitter(colorJitter)
  if (erase !== undefined) checkErase(erase)
  if (mix !== undefined) checkMix(mix)
}
