/** @file SiLU, also called swish: x · sigmoid(x). Ramachandran et al. 2017 (arXiv 1710.05941); EfficientNet's activation. */
import type { Activation } from './activation.js'
import { sigmoid } from './sigmoid.js'

export const silu: Activation = {
  exponential: true,
  value: x => x * sigmoid.value(x),
  derivative: x => {
    const s = sigmoid.value(x)
    return s * (1 + x * (1 - s))
  },
}
