/** @file The augmentations of the papers: where an object is, how large it is and which way it faces tell nothing. */
import type { Augmentation } from '../../data/dataset.js'

/** He et al. 2015 (arXiv 1512.03385), section 4.2: 4 pixels of padding on images of 32, and mirroring. */
export const cropAndFlip = (size: number): Augmentation => ({
  crop: { padding: Math.max(1, Math.round(size / 8)) },
  flip: 'random',
})

/** Images above this many pixels show objects at many scales. */
const SMALL = 64

/**
 * Photos are cropped at random scales: Szegedy et al. 2015 (arXiv 1409.4842), section 6; small images as above.
 * @param least part of the area that a crop shows
 */
export const scaledCropAndFlip = (size: number, least = 0.08): Augmentation =>
  size <= SMALL ? cropAndFlip(size) : { resizedCrop: { scale: [least, 1] }, flip: 'random' }
