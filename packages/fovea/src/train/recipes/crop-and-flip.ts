/** @file The augmentation of the ResNet papers. */
import type { Augmentation } from '../../data/dataset.js'

/** He et al. 2015 (arXiv 1512.03385), section 4.2: 4 pixels of padding on images of 32, and mirroring. */
export const cropAndFlip = (size: number): Augmentation => ({
  crop: { padding: Math.max(1, Math.round(size / 8)) },
  flip: 'random',
})
