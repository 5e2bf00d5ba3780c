/** @file The sum over some axes. */
import { defineOp, type OpDefinition } from './define.js'
import {
  inferReduction,
  perImageUnlessReduced,
  type ReductionAttributes,
  reducedAxes,
  reductionIndices,
  spread,
} from './reduction.js'

export const reduceSum: OpDefinition<ReductionAttributes> = defineOp<ReductionAttributes>({
  name: 'reduceSum',
  batch: perImageUnlessReduced([0]),
  memory: [],
  axes: reducedAxes('sum'),
  infer: inferReduction,
  gradient: ({ builder, node, attrs, inputs: [x], gradients: [dy] }) => [
    dy && spread(builder, dy, x, attrs.axes, `${node.name}.dx`),
  ],
  reference: ([x], [y], { axes }) => {
    const to = reductionIndices(x.shape, axes)
    const sums = new Float64Array(y.data.length)
    for (let i = 0; i < x.data.length; i++) sums[to[i]] += x.data[i]
    y.data.set(sums)
  },
})
