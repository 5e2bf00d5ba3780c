/**
 * @file By what the gradients of a step are multiplied before the update, from their sum of squares: divided by the loss
 * scale (Micikevicius et al. 2018, arXiv 1710.03740, section 3.2) and by the number of parts that were added up, and cut to
 * a longest norm over all (Pascanu et al. 2013, arXiv 1211.5063, algorithm 1). 0 where the step does not count: its
 * gradients are not finite, or it is no step yet.
 */
import { noAxes } from './axes.js'
import { noImages } from './batch.js'
import { defineOp } from './define.js'
import { expectRange, expectShape } from './expect.js'

/** `parts`: of the batch, added up. `maxNorm`: of all gradients together, after the division; null for any. */
export type GradientScaleAttributes = { readonly parts: number; readonly maxNorm: number | null }

/** sumOfSquares, lossScale, counts (0: it is no step); outputs the factor, the norm, and whether it is finite (1 or 0). All scalars. */
export const gradientScale = defineOp<GradientScaleAttributes>({
  name: 'gradientScale',
  batch: noImages,
  memory: [],
  axes: noAxes,
  infer: ([sumOfSquares, lossScale, counts], { parts, maxNorm }) => {
    expectShape('the sum of squares', sumOfSquares, [])
    expectShape('the loss scale', lossScale, [])
    expectShape('what counts', counts, [])
    expectRange('parts', parts, 1)
    if (maxNorm !== null) expectRange('maxNorm', maxNorm, 0)
    return [sumOfSquares, sumOfSquares, sumOfSquares]
  },
  reference: ([sumOfSquares, lossScale, counts], [factor, norm, finite], { parts, maxNorm }) => {
    const divisor = lossScale.data[0] * parts
    norm.data[0] = Math.sqrt(sumOfSquares.data[0]) / divisor
    finite.data[0] = Number.isFinite(sumOfSquares.data[0]) ? 1 : 0
    const cut = maxNorm !== null && norm.data[0] > maxNorm ? maxNorm / norm.data[0] : 1
    factor.data[0] = finite.data[0] === 0 || counts.data[0] === 0 ? 0 : cut / divisor
  },
})
