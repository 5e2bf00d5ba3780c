/** @file What can be done to training images, and that it was asked for rightly. What each means is in its own file. */
import { SettingError } from '../../errors.js'
import { group, type Rows, type ValueOf } from '../../settings/group.js'
import { within } from '../../settings/setting.js'
import { imageSize } from '../dataset-setting.js'
import { type ColorJitterOptions, colorJitterSetting } from './color-jitter.js'
import { type CropOptions, checkCrop, cropSetting, type Flip, flipSetting } from './crop-and-flip.js'
import { type EraseOptions, eraseSetting } from './erase.js'
import { type MixOptions, mixSetting } from './mix.js'
import { type PolicyOptions, policySetting } from './policy.js'
import { type ResizedCropOptions, resizedCropSetting } from './resized-crop.js'

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

/** The table of `Augmentation`, in the order in which they change an image. */
export const augmentationSetting = group('random changes to training images', {
  resizedCrop: resizedCropSetting.optional(),
  crop: cropSetting.optional(),
  flip: flipSetting.optional(),
  policy: policySetting.optional(),
  colorJitter: colorJitterSetting.optional(),
  erase: eraseSetting.optional(),
  mix: mixSetting.optional(),
} satisfies Rows<Augmentation>).refine(({ resizedCrop, crop }, path) => {
  if (resizedCrop === undefined || crop === undefined) return
  throw new SettingError(path, 'give crop (a translation) or resizedCrop (an enlarged part), not both')
})

/** Augmentations with all that has a default. */
export type SettledAugmentation = ValueOf<typeof augmentationSetting>

/**
 * @param size [height, width, channels] of the images
 * @throws SettingError naming the augmentation that is unknown or does not fit the images
 */
export function parseAugmentation(given: unknown, size: readonly number[], path = 'augmentation') {
  imageSize('of the images').parse(size, 'size')
  const settled = augmentationSetting.parse(given, path)
  if (settled.crop !== undefined) checkCrop(settled.crop, size, within(path, 'crop'))
  return settled
}
