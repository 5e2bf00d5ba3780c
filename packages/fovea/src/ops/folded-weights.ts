/**
 * @file The weight and bias of a convolution that does the work of the batch-norm after it as well (inference only):
 * weight' = weight · γ/√(σ² + ε) per output channel, bias' = β + (bias − μ) · γ/√(σ² + ε). As it depends on state alone,
 * an engine computes it once.
 */
import { elements, type TensorType } from '../graph/types.js'
import { letters } from './axes.js'
import { noImages } from './batch.js'
import { defineOp } from './define.js'
import { expectShape, expectType } from './expect.js'

export type FoldedWeightsAttributes = { readonly epsilon: number }

/** weight, γ, β, mean, variance, and optionally the convolution's bias; outputs weight' and bias'. */
export const foldedWeights = defineOp<FoldedWeightsAttributes>({
  name: 'foldedWeights',
  batch: noImages,
  memory: [],
  float32Inputs: [0, 1, 2, 3, 4, 5],
  axes: letters('oihw o o o o o -> oihw o'),
  infer: ([weight, ...perChannel]) => {
    const channels = [weight.shape[0]]
    for (const type of perChannel) {
      expectShape('a value per output channel', type, channels)
      expectType('a value per output channel', type, 'float32')
    }
    expectType('weight', weight, 'float32')
    const bias: TensorType = { shape: channels, dtype: 'float32' }
    return [weight, bias]
  },
  reference: ([weight, gamma, beta, mean, variance, bias], [folded, foldedBias], { epsilon }) => {
    const channels = gamma.data.length
    const perChannel = elements(weight.shape) / channels
    for (let c = 0; c < channels; c++) {
      const scale = gamma.data[c] / Math.sqrt(variance.data[c] + epsilon)
      for (let i = c * perChannel; i < (c + 1) * perChannel; i++) folded.data[i] = weight.data[i] * scale
      foldedBias.data[c] = beta.data[c] + ((bias?.data[c] ?? 0) - mean.data[c]) * scale
    }
  },
})
