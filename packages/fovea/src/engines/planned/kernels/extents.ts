/** @file How large what kernels walk is, in words of their numbers: images and their windows, rows of the last axis. */
import { count, size } from './field.js'

/** Where windows lie: `height` and `width` are of the larger image, `out…` of the one with a number for each window. */
export const images = {
  ...{ images: size, height: size, width: size, channels: size, outHeight: size, outWidth: size },
  ...{ strideY: size, strideX: size, top: count, left: count },
} as const
export const large = 'images * height * width * channels'
export const pooled = 'images * outHeight * outWidth * channels'

/** Rows of the last axis. */
export const rows = { rows: size, columns: size } as const
export const cells = 'rows * columns'
