/** @file What can be done to training images, and that it was asked for rightly. What each means is in its own file. */
import { unknownName } from '../../errors.js'
import { type CropOptions, checkCrop, checkFlip, type Flip } from './crop-and-flip.js'

/** Random changes to training images. A pure function of (seed, epoch, image index). */
export interface Augmentation {
  /** A random translation. */
  readonly crop?: CropOptions
  /** Mirrors half of the images. */
  readonly flip?: Flip
}

/** In the order in which they change an image. */
const names: readonly (keyof Augmentation)[] = ['crop', 'flip']

/**
 * @param size [height, width, channels] of the images
 * @throws InvalidArgumentError naming the augmentation that is unknown or does not fit the images
 */
export function checkAugmentation(augmentation: Augmentation, size: readonly number[]): void {
  const unknown = Object.keys(augmentation).find(name => !(names as readonly string[]).includes(name))
  if (unknown !== undefined) throw unknownName('augmentation', unknown, names)
  const { crop, flip } = augmentation
  if (crop !== undefined) checkCrop(crop, size)
  if (flip !== undefined) checkFlip(flip)
}
