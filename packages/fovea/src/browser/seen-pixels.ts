/**
 * @file The pixels that a model sees of a picture that the browser has decoded. Imports nothing but the filter, so that
 * both files are a part of the page that `fovea export` writes.
 */
import type { Preprocessing } from '../models/model.js'
import { resizedCenter } from './resize.js'

/** What a model wants of a picture. */
export type Seen = Pick<Preprocessing, 'size' | 'resizing'>

/**
 * As in training: the shorter side resized to fit, the centre cropped, transparency over white.
 * @returns height × width × channels bytes
 */
export function seenPixels(picture: ImageBitmap, { size: [height, width, channels], resizing }: Seen): Uint8Array {
  const how = resizing ?? { crop: 1, interpolation: 'lanczos' }
  const colors = resizedCenter(drawn(picture, height / how.crop, width / how.crop), [height, width], how)
  return channels === 1 ? grey(colors) : colors
}

/** More pixels than some browsers' canvas holds. */
const MOST_PIXELS = 1 << 24

/**
 * A picture stays so many times as large as what is seen of it. A photo of 12 megapixels then takes 0.1 s instead of 0.4, and
 * levels change by 0.6 of 255 at most, on average.
 */
const ENOUGH = 4

/** Its pixels, of which `height` by `width` will be seen; halved as often as it may be. */
function drawn(picture: ImageBitmap, height: number, width: number): ImageData {
  const isLarge = (source: ImageBitmap | OffscreenCanvas): boolean =>
    Math.min(source.height / height, source.width / width) >= 2 * ENOUGH || source.height * source.width > MOST_PIXELS
  let context = onWhite(picture, isLarge(picture) ? 2 : 1)
  while (isLarge(context.canvas)) context = onWhite(context.canvas, 2)
  return context.getImageData(0, 0, context.canvas.width, context.canvas.height)
}

/** At half the size, a canvas takes the mean of four pixels for one; at less it would skip some. */
function onWhite(source: ImageBitmap | OffscreenCanvas, part: 1 | 2): OffscreenCanvasRenderingContext2D {
  const [width, height] = [source.width, source.height].map(side => Math.max(1, Math.floor(side / part)))
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!
  context.fillStyle = 'white'
  context.fillRect(0, 0, width, height)
  context.drawImage(source, 0, 0, part * width, part * height, 0, 0, width, height)
  return context
}

/** Luminance (ITU-R BT.709), of light and not of levels, as libvips computes it. */
const grey = (colors: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: colors.length / 3 }, (_, i) => {
    const [r, g, b] = colors.subarray(3 * i, 3 * i + 3)
    return level(0.2126 * light[r] + 0.7152 * light[g] + 0.0722 * light[b])
  })

/** How much light each level of sRGB (IEC 61966-2-1) is, of 1. */
const light = Float64Array.from({ length: 256 }, (_, level) =>
  level <= 10 ? level / 255 / 12.92 : ((level / 255 + 0.055) / 1.055) ** 2.4,
)

/** The level of so much light. */
const level = (light: number): number =>
  Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055))
