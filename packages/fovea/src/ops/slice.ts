/** @file Every step-th element from start to before stop, along each axis: also the strided shortcut of the CIFAR ResNets. */
import { ShapeError } from '../errors.js'
import { formatShape, type Shape } from '../graph/types.js'
import { channelsOf, noAxes, ofInput, ofOutput } from './axes.js'
import { type AxisLink, type BatchRoles, defineOp } from './define.js'
import { expectIntegers, expectShape } from './expect.js'
import { denseStrides, indexOf, stridedIndices } from './strided.js'

/**
 * Per axis. `stop` is exclusive; -1 means to the end. A model keeps its batch axis whole with start 0, stop -1, step 1,
 * so that its graph can be rebuilt for another batch size.
 */
export type SliceAttributes = {
  readonly start: readonly number[]
  readonly stop: readonly number[]
  readonly step: readonly number[]
}

function slicedShape(shape: Shape, { start, stop, step }: SliceAttributes): Shape {
  expectIntegers('start', start, shape.length, 0)
  expectIntegers('stop', stop, shape.length, -1)
  expectIntegers('step', step, shape.length, 1)
  return shape.map((size, axis) => {
    const end = stop[axis] === -1 ? size : stop[axis]
    if (start[axis] >= end || end > size) {
      throw new ShapeError(
        `from ${start[axis]} to ${end} is no part of axis ${axis} of the input ${formatShape(shape)}`,
      )
    }
    return Math.ceil((end - start[axis]) / step[axis])
  })
}

/** For each element of the slice, its place in the whole. */
function sliceIndices(whole: Shape, part: Shape, { start, step }: SliceAttributes): Int32Array {
  const strides = denseStrides(whole).map((stride, axis) => stride * step[axis])
  return stridedIndices(part, strides, indexOf(whole, start))
}

/** What cuts the batch itself has no parts of whole images. */
const wholeBatch = (_: unknown, __: unknown, { start, stop, step }: SliceAttributes): BatchRoles | undefined =>
  start[0] === 0 && stop[0] === -1 && step[0] === 1 ? { inputs: [0], outputs: [0] } : undefined

export const slice = defineOp<SliceAttributes>({
  name: 'slice',
  traits: ['selection'],
  batch: wholeBatch,
  memory: [],
  axes: ([{ shape }], [y], { start, step }) =>
    shape.flatMap((size, axis): AxisLink[] => {
      if (step[axis] !== 1) return []
      const taken = y.shape[axis]
      const inside = (index: number) => (index >= start[axis] && index < start[axis] + taken ? index - start[axis] : -1)
      return [[ofInput(0, axis, channelsOf(size, inside)), ofOutput(0, axis, channelsOf(taken))]]
    }),
  resize: ({ start, stop, step }, { inputs: [x], outputs: [y] }) => {
    const begin = x.map((indices, axis) => Array.from(indices).filter(index => index < start[axis]).length)
    const end = y.map(({ length }, axis) => (stop[axis] === -1 || step[axis] !== 1 ? stop[axis] : begin[axis] + length))
    return { start: begin, stop: end, step }
  },
  infer: ([x], attrs) => [{ shape: slicedShape(x.shape, attrs), dtype: x.dtype }],
  gradient: ({ builder, node, attrs, inputs: [x], gradients: [dy] }) => [
    dy && builder.emit(sliceGradient, [dy], { ...attrs, shape: x.type.shape }, `${node.name}.dx`),
  ],
  reference: ([x], [y], attrs) => {
    const from = sliceIndices(x.shape, y.shape, attrs)
    for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[from[i]]
  },
})

/** dx of the input's `shape`: dy at the elements that the slice took, zero elsewhere. */
export const sliceGradient = defineOp<SliceAttributes & { readonly shape: Shape }>({
  name: 'sliceGradient',
  batch: wholeBatch,
  memory: [],
  axes: noAxes,
  infer: ([dy], attrs) => {
    expectShape("the output's gradient", dy, slicedShape(attrs.shape, attrs))
    return [{ shape: attrs.shape, dtype: dy.dtype }]
  },
  reference: ([dy], [dx], attrs) => {
    const to = sliceIndices(dx.shape, dy.shape, attrs)
    for (let i = 0; i < dy.data.length; i++) dx.data[to[i]] = dy.data[i]
  },
})
