/**
 * @file The pixels that a model sees of a picture that the browser has decoded. Imports nothing but the filter, so that
 * both files are a part of the page that `fovea export` writes.
 */
import type { Preprocessing } from '../models/model.js'
import { resizedCenter } from './resize.js'

/** More pixels than some browsers' canvas holds: larger pictures are drawn smaller. */
const MOST_PIXELS = 1 << 24

/** What a model wants of a picture. */
export type Seen = Pick<Preprocessing, 'size' | 'resizing'>

/**
 * As in training: the shorter side resized to fit, the centre cropped, transparency over white.
 * @returns height × width × channels bytes
 */
export function seenPixels(picture: ImageBitmap, { size: [height, width, channels], resizing }: Seen): Uint8Array {
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (picture.width * picture.height)))
  const [w, h] = [picture.width, picture.height].map(side => Math.max(1, Math.floor(side * scale)))
  const context = new OffscreenCanvas(w, h).getContext('2d', { willReadFrequently: true })!
  context.fillStyle = 'white'
  context.fillRect(0, 0, w, h)
  context.drawImage(picture, 0, 0, w, h)
  const how = resizing ?? { crop: 1, interpolation: 'lanczos' }
  const colors = resizedCenter(context.getImageData(0, 0, w, h), [height, width], how)
  return channels === 1 ? grey(colors) : colors
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
