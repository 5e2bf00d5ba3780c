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
  for (let i = 0; i < pixels.length; i += channels) {
    sum += channels === 3 ? grey(pixels[i], pixels[i + 1], pixels[i + 2]) : pixels[i]
  }
  blendWithLevel(image, Math.floor(sum / (image.height * image.width) + 0.5), factor)
}

/** Towards the greys of the image; images that are no colour images stay as they are. */
export function saturation({ pixels, channels }: ImageBuffer, factor: number): void {
  if (channels !== 3) return
  const share = Math.fround(factor)
  for (let i = 0; i < pixels.length; i += 3) {
    const level = grey(pixels[i], pixels[i + 1], pixels[i + 2])
    for (let c = i; c < i + 3; c++) pixels[c] = blend(level, pixels[c], share)
  }
}

/** Towards the image blurred, each pixel five times and its eight neighbours once. Its edges stay as they are. */
export function sharpness(image: ImageBuffer, factor: number): void {
  const { pixels, spare, height, width, channels } = image
  if (height < 3 || width < 3) return
  const share = Math.fround(factor)
  const row = width * channels
  const inside = (width - 1) * channels
  spare.set(pixels)
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * row + channels; i < y * row + inside; i++) {
      const sum =
        pixels[i - row - channels] +
        pixels[i - row] +
        pixels[i - row + channels] +
        pixels[i - channels] +
        5 * pixels[i] +
        pixels[i + channels] +
        pixels[i + row - channels] +
        pixels[i + row] +
        pixels[i + row + channels]
      spare[i] = blend(Math.floor((sum + 6.5) / 13), pixels[i], share)
    }
  }
  image.swap()
}

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
  return Math.round(high - chroma * Math.max(0, Math.min(side, 4 - side, 1)))
}

/** The luma of ITU-R BT.601, in PIL's fixed point. */
const grey = (red: number, green: number, blue: number): number =>
  (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16

/** In float32, rounded down, as PIL blends. `share` is a float32. */
function blend(other: number, level: number, share: number): number {
  const value = Math.fround(other + Math.fround(share * (level - other)))
  return Math.max(0, Math.min(value, 255))
}

function blendWithLevel(image: ImageBuffer, other: number, factor: number): void {
  const share = Math.fround(factor)
  for (let level = 0; level < 256; level++) image.levels[level] = blend(other, level, share)
  image.map()
}
