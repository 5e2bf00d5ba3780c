/** @file The maximum over some axes. Where several elements are the maximum, they share its gradient, as in PyTorch's `amax`. */
import { noAxes } from './axes.js'
import { defineOp } from './define.js'
import { expectOneType, expectShape } from './expect.js'
import {
  inferReduction,
  perImageUnlessReduced,
  type ReductionAttributes,
  reducedAxes,
  reductionIndices,
} from './reduction.js'

export const reduceMax = defineOp<ReductionAttributes>({
  name: 'reduceMax',
  batch: perImageUnlessReduced([0]),
  memory: [],
  axes: reducedAxes('other'),
  infer: inferReduction,
  gradient: ({ builder, node, attrs, inputs: [x], outputs: [y], gradients: [dy] }) => [
    dy && builder.emit(reduceMaxGradient, [dy, x, y], attrs, `${node.name}.dx`),
  ],
  reference: ([x], [y], { axes }) => {
    const to = reductionIndices(x.shape, axes)
    y.data.fill(Number.NEGATIVE_INFINITY)
    for (let i = 0; i < x.data.length; i++) y.data[to[i]] = Math.max(y.data[to[i]], x.data[i])
  },
})

/** dx from dy, the input x and the maximum y. */
export const reduceMaxGradient = defineOp<ReductionAttributes>({
  name: 'reduceMaxGradient',
  batch: perImageUnlessReduced([0, 1, 2]),
  memory: [],
  axes: noAxes,
  infer: ([dy, x, y], attrs) => {
    const [{ shape }] = inferReduction([x], attrs)
    expectShape("the output's gradient", dy, shape)
    expectShape('the output', y, shape)
    expectOneType({ input: x, 'the output': y, "the output's gradient": dy })
    return [x]
  },
  reference: ([dy, x, y], [dx], { axes }) => {
    const to = reductionIndices(x.shape, axes)
    const ties = new Float64Array(y.data.length)
    for (let i = 0; i < x.data.length; i++) if (x.data[i] === y.data[to[i]]) ties[to[i]]++
    for (let i = 0; i < x.data.length; i++) {
      if (x.data[i] === y.data[to[i]]) dx.data[i] = dy.data[to[i]] / ties[to[i]]
    }
  },
})
