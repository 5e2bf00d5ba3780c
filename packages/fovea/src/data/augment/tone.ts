/**
 * @file Brightness, contrast, saturation, sharpness and hue. All but hue are a blend of the image with another of itself
 * (black, its mean grey, its greys, itself blurred) and level for level what PIL's ImageEnhance gives: factor 0 is the
 * other image, 1 the image as it is, more than 1 leads away from the other.
 */
import type { ImageBuffer } from './image-buffer.js'

/** Towards black. */
export const brightness = (image: ImageBuffer, factor: number): void => blendWithLevel(image, 0, factor)

/** Towards the mean grey of the image. */
export function contrast(image: ImageBuffer, factor: number): void {
  const { pixels, channels } = image
  let sum = 0
  if (channels === 3) for (let i = 0; i < pixels.length; i += 3) sum += grey(pixels[i], pixels[i + 1], pixels[i + 2])
  else for (let i = 0; i < pixels.length; i += channels) sum += pixels[i]
  blendWithLevel(image, Math.floor(sum / (image.height * image.width) + 0.5), factor)
}

/** Towards the greys of the image; images that are no colour images stay as they are. */
export function saturation(image: ImageBuffer, factor: number): void {
  if (image.channels !== 3) return
  const { pixels } = image
  const shares = sharesOf(image, factor)
  for (let i = 0; i < pixels.length; i += 3) {
    const level = grey(pixels[i], pixels[i + 1], pixels[i + 2])
    pixels[i] = blend(level, pixels[i], shares)
    pixels[i + 1] = blend(level, pixels[i + 1], shares)
    pixels[i + 2] = blend(level, pixels[i + 2], shares)
  }
}

/** Towards the image blurred, each pixel five times and its eight neighbours once. Its edges stay as they are. */
export function sharpness(image: ImageBuffer, factor: number): void {
  const { pixels, spare, height, width, channels } = image
  const shares = sharesOf(image, factor)
  spare.set(pixels)
  for (let y = 1; y < height - 1; y++) {
    for (let c = 0; c < channels; c++) sharpenLine(pixels, spare, y * width * channels + c, width, channels, shares)
  }
  image.swap()
}

/** One channel of a row, `width` elements from `begin` on in steps of `channels`. The sums of three columns wander along. */
function sharpenLine(
  pixels: Uint8Array,
  target: Uint8Array,
  begin: number,
  width: number,
  channels: number,
  shares: Float64Array,
): void {
  const row = width * channels
  const end = begin + row - channels
  let before = columnSum(pixels, begin, row)
  let here = columnSum(pixels, begin + channels, row)
  for (let i = begin + channels; i < end; i += channels) {
    const after = columnSum(pixels, i + channels, row)
    const level = pixels[i]
    const blurred = ((2 * (before + here + after + 4 * level) + 13) / 26) | 0
    target[i] = blend(blurred, level, shares)
    before = here
    here = after
  }
}

/** Of three pixels, of which the one at `i` is the middle. */
const columnSum = (pixels: Uint8Array, i: number, row: number): number => pixels[i - row] + pixels[i] + pixels[i + row]

/**
 * Turns the colours on the wheel of hues (the hexagon of HSV); greys and images that are no colour images stay as they are.
 * @param turn −0.5 to 0.5 of the wheel
 */
export function hue({ pixels, channels }: ImageBuffer, turn: number): void {
  if (channels !== 3 || turn === 0) return
  for (let i = 0; i < pixels.length; i += 3) {
    const red = pixels[i]
    const green = pixels[i + 1]
    const blue = pixels[i + 2]
    const high = Math.max(red, green, blue)
    const low = Math.min(red, green, blue)
    const chroma = high - low
    if (chroma === 0) continue
    let place =
      high === red ? (green - blue) / chroma : high === green ? 2 + (blue - red) / chroma : 4 + (red - green) / chroma
    place += 6 * turn
    if (place < 0) place += 6
    else if (place >= 6) place -= 6
    pixels[i] = onHexagon(place + 5, high, chroma)
    pixels[i + 1] = onHexagon(place + 3, high, chroma)
    pixels[i + 2] = onHexagon(place + 1, high, chroma)
  }
}

/** A channel is high on two of the six sides, low on two, and in between on the two that join them. */
function onHexagon(place: number, high: number, chroma: number): number {
  const side = place >= 6 ? place - 6 : place
  if (side >= 4) return high
  if (side >= 1 && side <= 3) return high - chroma
  return Math.round(high - chroma * (side < 1 ? side : 4 - side))
}

/** The luma of ITU-R BT.601, in PIL's fixed point. */
const grey = (red: number, green: number, blue: number): number =>
  (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16

/** Blends are looked up, not computed: shares of differences, of which there are 511, and clamped levels. */
const ZERO = 512

/** In float32: `factor` times each difference of two levels, that of 0 at ZERO; but no more than what makes any level 0 or 255. */
function sharesOf({ shares }: ImageBuffer, factor: number): Float64Array {
  const share = Math.fround(factor)
  for (let difference = -255; difference <= 255; difference++) {
    shares[ZERO + difference] = Math.max(-ZERO, Math.min(Math.fround(share * difference), ZERO))
  }
  return shares
}

/** [1280] The level 0 is at ZERO; before it are zeros, behind 255 is 255. */
const clamped = Uint8Array.from({ length: 2 * ZERO + 256 }, (_, i) => Math.max(0, Math.min(i - ZERO, 255)))

/** In float32, rounded down, as PIL blends. */
const blend = (other: number, level: number, shares: Float64Array): number =>
  clamped[(Math.fround(other + shares[ZERO + level - other]) + ZERO) | 0]

function blendWithLevel(image: ImageBuffer, other: number, factor: number): void {
  const shares = sharesOf(image, factor)
  for (let level = 0; level < 256; level++) image.levels[level] = blend(other, level, shares)
  image.map()
}
