/** @file Pictures made smaller by a filter, as in training. A canvas would skip most pixels of a large picture. */
import type { Resizing } from '../models/model.js'

/** Pixels of a picture, as a canvas gives them (`ImageData`). */
export interface CanvasPixels {
  /** RGBA, row by row; opacity is not looked at. */
  readonly data: Uint8ClampedArray | Uint8Array
  readonly width: number
  readonly height: number
}

interface Filter {
  /** How far it reaches, in pixels of the result. */
  readonly reach: number
  /** What it weighs a pixel at a distance by. */
  readonly weight: (distance: number) => number
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))

const filters: Readonly<Record<Resizing['interpolation'], Filter>> = {
  lanczos: { reach: 3, weight: x => sinc(x) * sinc(x / 3) },
  // Of Catmull and Rom.
  bicubic: { reach: 2, weight: x => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((2.5 - 0.5 * x) * x - 4) * x + 2) },
  bilinear: { reach: 1, weight: x => 1 - x },
}

/**
 * The centre of a picture, resized.
 * @param size [height, width] of the result
 * @returns height × width × 3 bytes, RGB
 */
export function resizedCenter(
  { data, width, height }: CanvasPixels,
  size: readonly [number, number],
  { crop, interpolation }: Resizing,
): Uint8Array {
  const covered = size.map(side => Math.floor(side / crop + 1e-9))
  const scale = Math.max(covered[0] / height, covered[1] / width)
  const [down, across] = [height, width].map((from, axis) => {
    const to = Math.round(from * scale)
    const first = Math.floor((to - covered[axis] + 1) / 2) + Math.round((covered[axis] - size[axis]) / 2)
    return weights(from, to, first, size[axis], filters[interpolation])
  })
  // Rows first: each is read once, and what is left of it is short.
  const top = Math.min(...down.map(({ from }) => from[0]))
  const bottom = Math.max(...down.map(({ from }) => from[from.length - 1]))
  const rows = new Float32Array((bottom - top + 1) * across.length * 3)
  for (let y = top, at = 0; y <= bottom; y++) {
    for (const { from, weight } of across) {
      let [r, g, b] = [0, 0, 0]
      for (let i = 0; i < from.length; i++) {
        const pixel = 4 * (y * width + from[i])
        r += weight[i] * data[pixel]
        g += weight[i] * data[pixel + 1]
        b += weight[i] * data[pixel + 2]
      }
      rows[at++] = r
      rows[at++] = g
      rows[at++] = b
    }
  }
  const row = across.length * 3
  const pixels = new Uint8ClampedArray(down.length * row)
  for (const [y, { from, weight }] of down.entries()) {
    for (let x = 0; x < row; x++) {
      let sum = 0
      for (let i = 0; i < from.length; i++) sum += weight[i] * rows[(from[i] - top) * row + x]
      pixels[y * row + x] = sum
    }
  }
  return new Uint8Array(pixels.buffer)
}

/** Which pixels a pixel of the result is made of, and how much of each; in all 1. */
interface Weights {
  readonly from: Int32Array
  readonly weight: Float32Array
}

/** Of `count` pixels of a side, from one on. */
function weights(side: number, resized: number, first: number, count: number, filter: Filter): Weights[] {
  const step = side / resized
  const stretch = Math.max(step, 1) // a picture that grows is not blurred
  return Array.from({ length: count }, (_, i) => {
    const center = (first + i + 0.5) * step - 0.5
    const reach = filter.reach * stretch
    const start = Math.floor(center - reach) + 1
    const places = Int32Array.from({ length: Math.ceil(center + reach) - start }, (_, i) => start + i)
    const weight = Float32Array.from(places, at => filter.weight(Math.abs(at - center) / stretch))
    const sum = weight.reduce((a, b) => a + b)
    return { from: places.map(at => Math.min(Math.max(at, 0), side - 1)), weight: weight.map(one => one / sum) }
  })
}
