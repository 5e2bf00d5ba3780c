/** @file The mean over some axes. */
import { defineOp } from './define.js'
import { expectFloat } from './expect.js'
import { multiply } from './multiply.js'
import {
  inferReduction,
  perImageUnlessReduced,
  type ReductionAttributes,
  reducedAxes,
  reducedCount,
  reductionIndices,
  spread,
} from './reduction.js'

export const reduceMean = defineOp<ReductionAttributes>({
  name: 'reduceMean',
  batch: perImageUnlessReduced([0]),
  memory: [],
  axes: reducedAxes('other'),
  infer: (inputs, attrs) => {
    expectFloat('input', inputs[0])
    return inferReduction(inputs, attrs)
  },
  gradient: ({ builder, node, attrs: { axes }, inputs: [x], gradients: [dy] }) => {
    if (dy === undefined) return []
    const share = builder.constant(1 / reducedCount(x.type.shape, axes), [], dy.type.dtype)
    const scaled = builder.emit(multiply, [dy, share], {}, `${node.name}.dx.share`)
    return [spread(builder, scaled, x, axes, `${node.name}.dx`)]
  },
  reference: ([x], [y], { axes }) => {
    const to = reductionIndices(x.shape, axes)
    const count = reducedCount(x.shape, axes)
    const sums = new Float64Array(y.data.length)
    for (let i = 0; i < x.data.length; i++) sums[to[i]] += x.data[i]
    y.data.set(sums.map(sum => sum / count))
  },
})
