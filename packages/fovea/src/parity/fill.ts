/**
 * @file Weights, inputs and labels by a formula that any language can recompute, so that no file of weights is needed: the
 * name of each tensor is its seed.
 */
import { elements, type Shape } from '../graph/types.js'
import { randomAt, streamOf } from '../random.js'

/** The value of the parameter, buffer, `input` or `probe:NAME` at each index, in PyTorch's order. */
export function fill(name: string, shape: Shape): Float32Array {
  const key = streamOf(name)
  const [middle, reach] = rangeOf(name, shape)
  const values = new Float32Array(elements(shape))
  for (let i = 0; i < values.length; i++) values[i] = middle + reach * (2 * randomAt(key, i) - 1)
  return values
}

/** The middle of a tensor's values, and how far they go from it. */
function rangeOf(name: string, shape: Shape): [middle: number, reach: number] {
  if (name === 'input') return [0, 2]
  if (name.startsWith('probe:')) return [0, 1]
  if (name.endsWith('running_mean')) return [0, 0.1]
  if (name.endsWith('running_var')) return [1, 0.5]
  if (name.endsWith('bias')) return [0, 0.1]
  return shape.length === 1 ? [0.7, 0.1] : [0, Math.sqrt(6 / elements(shape.slice(1)))]
}

/** The input images of a file: filled in PyTorch's order (NCHW), reordered to NHWC. */
export function inputImages(batch: number, size: number): Float32Array {
  const planar = fill('input', [batch, 3, size, size])
  const pixels = size * size
  return Float32Array.from({ length: planar.length }, (_, i) => {
    const [image, pixel, channel] = [Math.floor(i / (3 * pixels)), Math.floor(i / 3) % pixels, i % 3]
    return planar[(image * 3 + channel) * pixels + pixel]
  })
}

/** The class of each image of a batch. */
export const labelsOf = (batch: number, classes: number): Int32Array =>
  Int32Array.from({ length: batch }, (_, b) => (7 * b + 3) % classes)
