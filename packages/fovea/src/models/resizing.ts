/** @file How a picture is made smaller before its center is cropped: by what part, and by which filter. */
import { group, type Rows } from '../settings/group.js'
import { choice, number } from '../settings/kinds.js'
import { interpolations, type Resizing } from './model.js'

/** What models are trained with here. */
export const defaultResizing: Resizing = { crop: 1, interpolation: 'lanczos' }

/** The setting of `Resizing`. */
export const resizingSetting = group('how a picture is made smaller', {
  crop: number('the part of the shorter side that is kept', { above: 0, to: 1 }),
  interpolation: choice('the filter', interpolations),
} satisfies Rows<Resizing>)

/** The side to which a picture is resized, of which so many pixels are kept. Rounded down, as timm does; not by a last bit. */
export const resizedSide = (side: number, { crop }: Resizing): number => Math.floor(side / crop + 1e-9)
