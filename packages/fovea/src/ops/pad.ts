/** @file Adds elements of one value before and after along each axis: also the zero channels of the CIFAR ResNets' shortcut. */
import { channelsOf, ofInput, ofOutput } from './axes.js'
import { defineOp } from './define.js'
import { expectIntegers } from './expect.js'
import { slice } from './slice.js'
import { denseStrides, indexOf, stridedIndices } from './strided.js'

/** How many elements to add on each side of each axis, and their value. */
export type PadAttributes = {
  readonly before: readonly number[]
  readonly after: readonly number[]
  readonly value: number
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
    return [{ shape: x.shape.map((size, axis) => before[axis] + size + after[axis]), dtype: x.dtype }]
  },
  gradient: ({ builder, node, attrs: { before, after }, inputs: [x], gradients: [dy] }) => {
    if (dy === undefined) return []
    const stop = x.type.shape.map((size, axis) => (after[axis] === 0 ? -1 : before[axis] + size))
    const attrs = { start: before, stop, step: before.map(() => 1) }
    return [builder.emit(slice, [dy], attrs, `${node.name}.dx`)]
  },
  reference: ([x], [y], { before, value }) => {
    const to = stridedIndices(x.shape, denseStrides(y.shape), indexOf(y.shape, before))
    y.data.fill(value)
    for (let i = 0; i < x.data.length; i++) y.data[to[i]] = x.data[i]
  },
})
