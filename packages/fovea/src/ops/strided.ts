/**
 * @file Walking a tensor in steps: the one loop behind slices, padding, broadcasting and reductions in the reference
 * implementations. Each of them is "element i here belongs to element indices[i] there".
 */
import type { HostArray } from '../graph/arrays.js'
import { formatShape, type Shape } from '../graph/types.js'

/** Distance in elements between neighbours along each axis of a dense tensor. */
export function denseStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis]
  }
  return strides
}

/** The index `start` + Σ position·stride for each position in `shape`, the last axis fastest. */
export function stridedIndices(shape: Shape, strides: readonly number[], start = 0): Int32Array {
  let indices = Int32Array.of(start)
  shape.forEach((size, axis) => {
    const next = new Int32Array(indices.length * size)
    for (let i = 0, to = 0; i < indices.length; i++) {
      for (let j = 0; j < size; j++) next[to++] = indices[i] + j * strides[axis]
    }
    indices = next
  })
  return indices
}

/** For each element of a tensor of shape `to`, the element of a tensor of shape `from` that broadcasts to it. */
export function broadcastIndices(from: Shape, to: Shape): Int32Array {
  const strides = denseStrides(from).map((stride, axis) => (from[axis] === 1 ? 0 : stride))
  const lead = to.length - from.length
  if (lead < 0) throw new Error(`${formatShape(from)} does not broadcast to ${formatShape(to)}`)
  return stridedIndices(to, [...new Array<number>(lead).fill(0), ...strides])
}

/** The index of the element at `position`. */
export const indexOf = (shape: Shape, position: readonly number[]): number =>
  denseStrides(shape).reduce((sum, stride, axis) => sum + stride * position[axis], 0)

/** The elements of a tensor with its axes in another order: axis i of the result is axis `order[i]` of the tensor. */
export function permuted(values: HostArray, shape: Shape, order: readonly number[]): HostArray {
  const strides = denseStrides(shape)
  const from = stridedIndices(
    order.map(axis => shape[axis]),
    order.map(axis => strides[axis]),
  )
  return values.map((_, i) => values[from[i]])
}
