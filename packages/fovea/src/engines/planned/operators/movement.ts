/** @file What moves numbers and changes none: slices, padding, reshaping (native/kernels/movement.h). */
import type { Value } from '../../../graph/graph.js'
import { elements, type Shape } from '../../../graph/types.js'
import { type PadAttributes, paddedShape } from '../../../ops/pad.js'
import type { SliceAttributes } from '../../../ops/slice.js'
import { denseStrides } from '../../../ops/strided.js'
import type { Lowering } from '../lowering.js'
import type { Operand } from '../steps.js'
import { collapse } from './axes.js'
import type { Lower } from './operator.js'

interface Copy {
  readonly x: Value
  readonly y: Operand
  /** How many elements y has. */
  readonly size: number
  readonly dims: Shape
  readonly from: { readonly offset: number; readonly strides: readonly number[] }
  readonly to: { readonly offset: number; readonly strides: readonly number[] }
  /** What the rest of the output is filled with; undefined when the copy covers all of it. */
  readonly fill?: number
}

function stridedCopy(lowering: Lowering, { x, y, size, dims, from, to, fill }: Copy): void {
  const walk = collapse(
    dims.map((size, axis) => ({ size, strides: [from.strides[axis], to.strides[axis]] })),
    2,
  )
  lowering.kernel('stridedCopy', {
    ...{ x: lowering.read(x), y, type: lowering.moved(x.type) },
    ...{ fills: fill !== undefined, elements: size, fill: fill ?? 0 },
    ...{ offset: from.offset, yOffset: to.offset },
    ...{ dims: walk.dims, strides: walk.strides[0], yStrides: walk.strides[1] },
  })
}

const offsetOf = (strides: readonly number[], start: readonly number[]): number =>
  strides.reduce((sum, stride, axis) => sum + stride * start[axis], 0)

/** Writes x, padded, into y. */
export function padInto(to: Lowering, x: Value, y: Operand, attrs: PadAttributes): void {
  const shape = paddedShape(x.type.shape, attrs)
  const strides = denseStrides(shape)
  stridedCopy(to, {
    ...{ x, y, size: elements(shape), dims: x.type.shape, fill: attrs.value },
    from: { offset: 0, strides: denseStrides(x.type.shape) },
    to: { offset: offsetOf(strides, attrs.before), strides },
  })
}

const pad: Lower = (to, node) => padInto(to, node.inputs[0], to.write(), node.attrs as unknown as PadAttributes)

const sliced = (whole: Shape, { start, step }: SliceAttributes) => {
  const strides = denseStrides(whole)
  return { offset: offsetOf(strides, start), strides: strides.map((stride, axis) => stride * step[axis]) }
}

const slice: Lower = (to, node) => {
  const [x] = node.inputs
  const { shape } = node.outputs[0]
  const from = sliced(x.type.shape, node.attrs as unknown as SliceAttributes)
  const size = elements(shape)
  stridedCopy(to, { x, y: to.write(), size, dims: shape, from, to: { offset: 0, strides: denseStrides(shape) } })
}

const sliceGradient: Lower = (to, node) => {
  const [dy] = node.inputs
  const { shape } = dy.type
  const whole = node.outputs[0].shape
  stridedCopy(to, {
    ...{ x: dy, y: to.write(), size: elements(whole), dims: shape, fill: 0 },
    from: { offset: 0, strides: denseStrides(shape) },
    to: sliced(whole, node.attrs as unknown as SliceAttributes),
  })
}

/** A new view of the same memory. */
const reshaped: Lower = (to, node) => {
  const [x] = node.inputs
  to.read(x)
  to.alias(0, x)
}

export const movement = {
  pad,
  slice,
  sliceGradient,
  flatten: reshaped,
  reshape: reshaped,
} as const satisfies Record<string, Lower>
