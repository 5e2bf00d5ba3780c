/** @file Softmax over the last axis. */
import { ShapeError } from '../errors.js'
import type { TensorType } from '../graph/types.js'
import { broadcastAxes, noAxes } from './axes.js'
import { type BatchRoles, defineOp } from './define.js'
import { expectFloat, expectOneType, expectShape } from './expect.js'

/** The only axis of a vector is its classes'. */
const perRow =
  (inputs: readonly number[]) =>
  ([{ shape }]: readonly TensorType[]): BatchRoles | undefined =>
    shape.length > 1 ? { inputs, outputs: [0] } : undefined

export const softmax = defineOp<Record<string, never>>({
  name: 'softmax',
  batch: perRow([0]),
  memory: [[0]],
  axes: (inputs, outputs) => broadcastAxes(inputs, outputs).slice(0, -1),
  infer: ([x]) => {
    if (x.shape.length === 0) throw new ShapeError('input must have at least one axis, got a scalar')
    expectFloat('input', x)
    return [x]
  },
  gradient: ({ builder, node, outputs: [y], gradients: [dy] }) => [
    dy && builder.emit(softmaxGradient, [dy, y], {}, `${node.name}.dx`),
  ],
  reference: ([x], [y]) => {
    const classes = x.shape[x.shape.length - 1]
    for (let row = 0; row < x.data.length; row += classes) {
      let highest = Number.NEGATIVE_INFINITY
      for (let c = 0; c < classes; c++) highest = Math.max(highest, x.data[row + c])
      let sum = 0
      for (let c = 0; c < classes; c++) sum += Math.exp(x.data[row + c] - highest)
      for (let c = 0; c < classes; c++) y.data[row + c] = Math.exp(x.data[row + c] - highest) / sum
    }
  },
})

/** dx = y · (dy − Σ dy·y), from dy and the output y. */
export const softmaxGradient = defineOp<Record<string, never>>({
  name: 'softmaxGradient',
  batch: perRow([0, 1]),
  memory: [[0]],
  axes: noAxes,
  infer: ([dy, y]) => {
    expectShape("the output's gradient", dy, y.shape)
    expectOneType({ output: y, "the output's gradient": dy })
    return [dy]
  },
  reference: ([dy, y], [dx]) => {
    const classes = y.shape[y.shape.length - 1]
    for (let row = 0; row < y.data.length; row += classes) {
      let dot = 0
      for (let c = 0; c < classes; c++) dot += dy.data[row + c] * y.data[row + c]
      for (let c = 0; c < classes; c++) dx.data[row + c] = y.data[row + c] * (dy.data[row + c] - dot)
    }
  },
})
