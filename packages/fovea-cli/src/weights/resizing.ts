/**
 * @file How weights want pictures resized and cropped, in the words of timm and of transformers, and what of it is not done here.
 */
import { interpolations, type Resizing } from 'fovea'
import { defaultResizing } from 'fovea/engine'

/** What a configuration says of it. */
export interface ResizingConfig {
  /** timm's, and some of transformers' processors': the part of the shorter side that is kept. */
  readonly crop?: number | undefined
  /** timm's: `center`, `squash` or `border`. */
  readonly mode?: string | undefined
  /** timm's name of a filter, or Pillow's number, which transformers has. */
  readonly interpolation?: string | number | undefined
}

/** By Pillow's numbers. */
const FILTERS = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming']

/** What is done as the configuration has it, where that differs from how Fovea does it unasked, and sentences of what is not. */
export function resizingOf({ crop, mode = 'center', interpolation }: ResizingConfig): {
  readonly resizing?: Resizing
  readonly notApplied: readonly string[]
} {
  const name = typeof interpolation === 'number' ? (FILTERS[interpolation] ?? String(interpolation)) : interpolation
  const known = interpolations.find(filter => filter === name)
  const resizing = { crop: crop ?? 1, interpolation: known ?? defaultResizing.interpolation }
  const isDefault = resizing.crop === 1 && resizing.interpolation === defaultResizing.interpolation
  return {
    ...(!isDefault && { resizing }),
    notApplied: [
      ...(mode === 'center' ? [] : [`pictures are cropped to the model's shape, not fitted to it (${mode})`]),
      ...(name === undefined || known ? [] : [`pictures are resized by ${resizing.interpolation}, not by ${name}`]),
    ],
  }
}
