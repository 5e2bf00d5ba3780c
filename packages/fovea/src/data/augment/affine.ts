/**
 * @file Rotation, shear and translation: each pixel is the nearest of the image at the place that a matrix sends it to, as
 * PIL's transform has it. What comes from outside the image is its fill colour.
 */
import type { ImageBuffer } from './image-buffer.js'

/** Counter-clockwise around the centre. */
export function rotate(image: ImageBuffer, degrees: number): void {
  const [x, y] = [image.width / 2, image.height / 2]
  const radians = (-degrees * Math.PI) / 180
  const cos = Math.cos(radians)
  const sin = Math.sin(radians)
  transform(image, cos, sin, x - cos * x - sin * y, -sin, cos, y + sin * x - cos * y)
}

/** Each row by `slope` pixels more than the one above it, the first stays; to the left for a positive slope. */
export const shearX = (image: ImageBuffer, slope: number): void => transform(image, 1, slope, 0, 0, 1, 0)

/** Each column by `slope` pixels more than the one before it, the first stays; upwards for a positive slope. */
export const shearY = (image: ImageBuffer, slope: number): void => transform(image, 1, 0, 0, slope, 1, 0)

/** To the right, by the whole part of `pixels`. */
export const translateX = (image: ImageBuffer, pixels: number): void =>
  transform(image, 1, 0, -Math.trunc(pixels), 0, 1, 0)

/** Downwards, by the whole part of `pixels`. */
export const translateY = (image: ImageBuffer, pixels: number): void =>
  transform(image, 1, 0, 0, 0, 1, -Math.trunc(pixels))

/** In 16.16 fixed point, of pixels' centres: x from `a·x + b·y + c`, y from `d·x + e·y + f`. */
function transform(image: ImageBuffer, a: number, b: number, c: number, d: number, e: number, f: number): void {
  const { pixels, spare, fill, height, width, channels } = image
  const fixed = (value: number): number => Math.floor(value * 65536 + 0.5)
  const [alongX, alongY] = [fixed(a), fixed(d)]
  const [downX, downY] = [fixed(b), fixed(e)]
  let rowX = fixed(c + a * 0.5 + b * 0.5)
  let rowY = fixed(f + d * 0.5 + e * 0.5)
  let out = 0
  for (let y = 0; y < height; y++, rowX += downX, rowY += downY) {
    let fromX = rowX
    let fromY = rowY
    for (let x = 0; x < width; x++, fromX += alongX, fromY += alongY) {
      const column = fromX >> 16
      const row = fromY >> 16
      const inside = column >= 0 && column < width && row >= 0 && row < height
      const from = inside ? pixels : fill
      const source = inside ? (row * width + column) * channels : 0
      for (let k = 0; k < channels; k++) spare[out++] = from[source + k]
    }
  }
  image.swap()
}
