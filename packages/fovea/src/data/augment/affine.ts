/**
 * @file Rotation, shear and translation: each pixel is the nearest of the image at the place that a matrix sends it to, as
 * PIL's transform has it. What comes from outside the image is its fill colour.
 */
import type { ImageBuffer } from './image-buffer.js'
import { copyPixel } from './walks.js'

/** Counter-clockwise around the centre. */
export function rotate(image: ImageBuffer, degrees: number): void {
  const [x, y] = [image.width / 2, image.height / 2]
  const radians = (-degrees * Math.PI) / 180
  const cos = Math.cos(radians)
  const sin = Math.sin(radians)
  transform(image, cos, sin, x - cos * x - sin * y, -sin, cos, y + sin * x - cos * y)
}

/** Each row by `slope` pixels more than the one above it, the first stays; to the left for a positive slope. */
export function shearX(image: ImageBuffer, slope: number): void {
  const down = fixed(slope)
  let left = fixed(0.5 + slope * 0.5)
  for (let y = 0; y < image.height; y++, left += down) slideRow(image, y, -(left >> BITS))
}

/** Each column by `slope` pixels more than the one before it, the first stays; upwards for a positive slope. */
export const shearY = (image: ImageBuffer, slope: number): void => transform(image, 1, 0, 0, slope, 1, 0)

/** To the right, by the whole part of `pixels`. */
export function translateX(image: ImageBuffer, pixels: number): void {
  for (let y = 0; y < image.height; y++) slideRow(image, y, Math.trunc(pixels))
}

/** Downwards, by the whole part of `pixels`. */
export function translateY({ pixels, blank, height, width, channels }: ImageBuffer, by: number): void {
  slide(pixels, blank, 0, height * width * channels, Math.trunc(by) * width * channels)
}

/** Moves one row by whole pixels to the right. */
function slideRow({ pixels, blank, width, channels }: ImageBuffer, y: number, right: number): void {
  slide(pixels, blank, y * width * channels, (y + 1) * width * channels, right * channels)
}

/** Moves the elements from `begin` to `end` − 1 towards the end. What they leave behind becomes blank. */
function slide(pixels: Uint8Array, blank: Uint8Array, begin: number, end: number, by: number): void {
  const length = end - begin
  const on = Math.min(Math.max(0, by), length)
  const back = Math.min(Math.max(0, -by), length)
  pixels.copyWithin(begin + on, begin + back, end - on)
  copyRun(blank, pixels, begin, begin + on)
  copyRun(blank, pixels, end - back, end)
}

/** A loop: runs are short, and a subarray for each would take longer. */
function copyRun(from: Uint8Array, to: Uint8Array, begin: number, end: number): void {
  for (let i = begin; i < end; i++) to[i] = from[i]
}

/** Places are fixed-point numbers with so many bits after the point, as PIL's. */
const BITS = 16
const fixed = (value: number): number => Math.floor(value * (1 << BITS) + 0.5) | 0

/** Of pixels' centres: x from `a·x + b·y + c`, y from `d·x + e·y + f`. */
function transform(image: ImageBuffer, a: number, b: number, c: number, d: number, e: number, f: number): void {
  const [alongX, alongY] = [fixed(a), fixed(d)]
  const [downX, downY] = [fixed(b), fixed(e)]
  let fromX = fixed(c + a * 0.5 + b * 0.5)
  let fromY = fixed(f + d * 0.5 + e * 0.5)
  image.spare.set(image.blank)
  for (let y = 0; y < image.height; y++, fromX += downX, fromY += downY) {
    gatherRow(image, y, fromX, fromY, alongX, alongY)
  }
  image.swap()
}

/** Writes a row of `spare`, each pixel from the place that lies a step after the one before. What is outside stays blank. */
function gatherRow(
  { pixels, spare, height, width, channels }: ImageBuffer,
  y: number,
  fromX: number,
  fromY: number,
  alongX: number,
  alongY: number,
): void {
  const begin = y * width * channels
  const end = begin + width * channels
  for (let i = begin; i < end; i += channels, fromX = (fromX + alongX) | 0, fromY = (fromY + alongY) | 0) {
    const column = fromX >> BITS
    const row = fromY >> BITS
    if (column < 0 || column >= width || row < 0 || row >= height) continue
    const source = Math.imul(Math.imul(row, width) + column, channels)
    copyPixel(pixels, source, spare, i, channels)
  }
}
