/**
 * @file Σ a·b over some axes, without the product in memory: the gradient of a scale that was broadcast
 * (squeeze-and-excitation's, per image and channel).
 */
import { defineOp } from './define.js'
import { expectOneType, expectShape } from './expect.js'
import {
  inferReduction,
  perImageUnlessReduced,
  type ReductionAttributes,
  reducedAxes,
  reductionIndices,
} from './reduction.js'

export const productSum = defineOp<ReductionAttributes>({
  name: 'productSum',
  batch: perImageUnlessReduced([0, 1]),
  memory: [],
  axes: reducedAxes('sum'),
  infer: ([a, b], attrs) => {
    expectShape('the second factor', b, a.shape)
    expectOneType({ 'the first factor': a, 'the second': b })
    return inferReduction([a], attrs)
  },
  reference: ([a, b], [y], { axes }) => {
    const to = reductionIndices(a.shape, axes)
    const sums = new Float64Array(y.data.length)
    for (let i = 0; i < a.data.length; i++) sums[to[i]] += a.data[i] * b.data[i]
    y.data.set(sums)
  },
})
