/** @file Pictures made smaller by a filter, as in training. A canvas would skip most pixels of a large picture. */

const sinc = x => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))

/** How far each filter reaches, in pixels of the result, and what it weighs a pixel at a distance by. */
const filters = {
  lanczos: { reach: 3, weight: x => sinc(x) * sinc(x / 3) },
  // Of Catmull and Rom.
  bicubic: { reach: 2, weight: x => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((2.5 - 0.5 * x) * x - 4) * x + 2) },
  bilinear: { reach: 1, weight: x => 1 - x },
}

/**
 * The centre of a picture, resized.
 * @param {ImageData} picture RGBA; opacity is not looked at
 * @param {[number, number]} size height and width of the result
 * @param {{crop: number, interpolation: 'lanczos' | 'bicubic' | 'bilinear'}} resizing the part of the shorter side that is kept, and the filter
 * @returns {Uint8Array} RGB
 */
export function resizedCenter({ data, width, height }, size, { crop, interpolation }) {
  const covered = size.map(side => Math.floor(side / crop + 1e-9))
  const scale = Math.max(covered[0] / height, covered[1] / width)
  const [down, across] = [height, width].map((from, axis) => {
    const to = Math.round(from * scale)
    const first = Math.floor((to - covered[axis] + 1) / 2) + Math.round((covered[axis] - size[axis]) / 2)
    return weights(from, to, first, size[axis], filters[interpolation])
  })
  // Rows first: each is read once, and what is left of it is short.
  const top = Math.min(...down.map(({ from }) => from[0]))
  const bottom = Math.max(...down.map(({ from }) => from.at(-1)))
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

/** Of `count` pixels of a side, from one on: the pixels `from` which each is made, and their weights, which add up to 1. */
function weights(side, resized, first, count, filter) {
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
