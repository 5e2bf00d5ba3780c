/**
 * @file One step of Adam (Kingma and Ba 2014, arXiv 1412.6980) or, with `decoupled` weight decay, of AdamW (Loshchilov and
 * Hutter 2017, arXiv 1711.05101), in PyTorch's form:
 * m = β1·m + (1 − β1)·g; v = β2·v + (1 − β2)·g²; parameter −= learningRate · m̂ / (√v̂ + ε), m̂ = m/(1 − β1ᵗ), v̂ = v/(1 − β2ᵗ),
 * where g is scale·gradient.
 */
import { defineOp } from './define.js'
import { elementwiseUpdate } from './elementwise.js'
import { checkOptimizer, keepStates } from './optimizer.js'

/** `decoupled`: decay shrinks the parameter by learningRate · weightDecay instead of joining the gradient. */
export type AdamAttributes = {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
  readonly decoupled: boolean
}

/** parameter, gradient, scale, learningRate, step t (1 at first), m, v; outputs the new parameter, m and v. */
export const adam = defineOp<AdamAttributes>({
  name: 'adam',
  ...elementwiseUpdate,
  memory: [[0], [5], [6]],
  infer: ([parameter, gradient, scale, learningRate, step, m, v]) => {
    checkOptimizer(parameter, { gradient, m, v }, { scale, learningRate, step })
    return [parameter, m, v]
  },
  reference: ([parameter, gradient, scale, learningRate, step, m, v], outputs, attrs) => {
    const factor = scale.data[0]
    if (factor === 0) return keepStates([parameter, m, v], outputs)
    const [next, nextM, nextV] = outputs
    const { beta1, beta2, epsilon, weightDecay, decoupled } = attrs
    const [rate, t] = [learningRate.data[0], step.data[0]]
    const [correction1, correction2] = [1 - beta1 ** t, 1 - beta2 ** t]
    for (let i = 0; i < next.data.length; i++) {
      const decayed = decoupled ? parameter.data[i] * (1 - rate * weightDecay) : parameter.data[i]
      const g = factor * gradient.data[i] + (decoupled ? 0 : weightDecay * parameter.data[i])
      const first = beta1 * m.data[i] + (1 - beta1) * g
      const second = beta2 * v.data[i] + (1 - beta2) * g * g
      nextM.data[i] = first
      nextV.data[i] = second
      next.data[i] = decayed - (rate * (first / correction1)) / (Math.sqrt(second / correction2) + epsilon)
    }
  },
})
