/** @file What the reductions share: which axes vanish, and where each element goes. */
import { ShapeError } from '../errors.js'
import type { Value } from '../graph/graph.js'
import { formatShape, type Shape, type TensorType } from '../graph/types.js'
import { channelsOf, ofInput, ofOutput } from './axes.js'
import { broadcastTo } from './broadcast-to.js'
import type { GraphBuilder } from './builder.js'
import type { AxisLink, BatchRoles } from './define.js'
import { reshape } from './reshape.js'
import { broadcastIndices } from './strided.js'

/** `axes` are counted from 0; an axis that is reduced stays with size 1 if `keepDims`, and vanishes otherwise. */
export type ReductionAttributes = { readonly axes: readonly number[]; readonly keepDims: boolean }

/** The shape with each reduced axis as 1. */
const keptShape = (shape: Shape, axes: readonly number[]): Shape =>
  shape.map((size, axis) => (axes.includes(axis) ? 1 : size))

/** How many elements become one. */
export const reducedCount = (shape: Shape, axes: readonly number[]): number =>
  axes.reduce((count, axis) => count * shape[axis], 1)

export function inferReduction([x]: readonly TensorType[], { axes, keepDims }: ReductionAttributes): [TensorType] {
  const fit = axes.every(axis => Number.isInteger(axis) && axis >= 0 && axis < x.shape.length)
  if (!fit || new Set(axes).size !== axes.length) {
    throw new ShapeError(`axes [${axes.join(',')}] do not fit the input ${formatShape(x.shape)}`)
  }
  const shape = keepDims ? keptShape(x.shape, axes) : x.shape.filter((_, axis) => !axes.includes(axis))
  return [{ shape, dtype: x.dtype }]
}

/** Each image is reduced for itself, unless the batch's own axis is reduced. */
export const perImageUnlessReduced =
  (inputs: readonly number[]) =>
  (_: unknown, __: unknown, { axes }: ReductionAttributes): BatchRoles | undefined =>
    axes.includes(0) ? undefined : { inputs, outputs: [0] }

/**
 * An axis that stays is the same in inputs and output. One that is summed up can lose what is zero; the mean of fewer
 * values, or a maximum without a zero, is another one.
 */
export const reducedAxes =
  (kind: 'sum' | 'other') =>
  (inputs: readonly TensorType[], _: unknown, { axes, keepDims }: ReductionAttributes): AxisLink[] =>
    inputs[0].shape.flatMap((size, axis): AxisLink[] => {
      const channels = channelsOf(size)
      const read = inputs.map((__, i) => ofInput(i, axis, channels))
      if (axes.includes(axis)) return kind === 'sum' ? [read] : []
      const kept = keepDims ? axis : axis - axes.filter(reduced => reduced < axis).length
      return [[...read, ofOutput(0, kept, channels)]]
    })

/** For each element of the input, the element of the output it goes into. */
export const reductionIndices = (shape: Shape, axes: readonly number[]): Int32Array =>
  broadcastIndices(keptShape(shape, axes), shape)

/** The gradient of a sum: dy, repeated along the reduced axes. */
export function spread(builder: GraphBuilder, dy: Value, x: Value, axes: readonly number[], name: string): Value {
  const { shape } = x.type
  const kept = builder.emit(reshape, [dy], { shape: keptShape(shape, axes) }, `${name}.kept`)
  return builder.emit(broadcastTo, [kept], { shape }, name)
}
