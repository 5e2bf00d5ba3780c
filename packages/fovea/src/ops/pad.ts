/** @file Adds elements of one value before and after along each axis: also the zero channels of the CIFAR ResNets' shortcut. */
import { elements, type Shape } from '../graph/types.js'
import { channelsOf, ofInput, ofOutput } from './axes.js'
import type { Conv2dAttributes } from './conv2d.js'
import { defineOp, type Tensor } from './define.js'
import { expectIntegers } from './expect.js'
import { slice } from './slice.js'
import { denseStrides, indexOf, stridedIndices } from './strided.js'

/** How many elements to add on each side of each axis, and their value. */
export type PadAttributes = {
  readonly before: readonly number[]
  readonly after: readonly number[]
  readonly value: number
}

/** As `pad` takes it, what a convolution adds around images. */
export const imagePadding = ([top, bottom, left, right]: Conv2dAttributes['padding']) => ({
  before: [0, top, left, 0],
  after: [0, bottom, right, 0],
})

export const paddedShape = (shape: Shape, { before, after }: Omit<PadAttributes, 'value'>): Shape =>
  shape.map((size, axis) => before[axis] + size + after[axis])

/** The padded tensor. */
export function padTensor(x: Tensor, attrs: PadAttributes): Tensor {
  const shape = paddedShape(x.shape, attrs)
  const data = new Float64Array(elements(shape)).fill(attrs.value)
  const to = stridedIndices(x.shape, denseStrides(shape), indexOf(shape, attrs.before))
  for (let i = 0; i < x.data.length; i++) data[to[i]] = x.data[i]
  return { ...x, shape, data }
}

export const pad = defineOp<PadAttributes>({
  name: 'pad',
  traits: ['selection'],
  batch: (_, __, { before, after }) => (before[0] === 0 && after[0] === 0 ? { inputs: [0], outputs: [0] } : undefined),
  memory: [],
  axes: ([{ shape }], [y], { before }) =>
    shape.map((size, axis) => {
      const inside = (index: number) =>
        index >= before[axis] && index < before[axis] + size ? index - before[axis] : -1
      return [ofInput(0, axis, channelsOf(size)), ofOutput(0, axis, channelsOf(y.shape[axis], inside))]
    }),
  resize: ({ before, value }, { inputs: [x], outputs: [y] }) => {
    const left = y.map((indices, axis) => Array.from(indices).filter(index => index < before[axis]).length)
    return { before: left, after: y.map((indices, axis) => indices.length - left[axis] - x[axis].length), value }
  },
  infer: ([x], { before, after }) => {
    expectIntegers('before', before, x.shape.length, 0)
    expectIntegers('after', after, x.shape.length, 0)
    return [{ shape: paddedShape(x.shape, { before, after }), dtype: x.dtype }]
  },
  gradient: ({ builder, node, attrs: { before, after }, inputs: [x], gradients: [dy] }) => {
    if (dy === undefined) return []
    const stop = x.type.shape.map((size, axis) => (after[axis] === 0 ? -1 : before[axis] + size))
    const attrs = { start: before, stop, step: before.map(() => 1) }
    return [builder.emit(slice, [dy], attrs, `${node.name}.dx`)]
  },
  reference: ([x], [y], attrs) => y.data.set(padTensor(x, attrs).data),
})
