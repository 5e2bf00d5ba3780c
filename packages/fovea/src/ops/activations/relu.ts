/** @file ReLU: max(x, 0). Nair and Hinton 2010. */
import type { Activation } from './activation.js'

export const relu: Activation = {
  exponential: false,
  value: x => Math.max(x, 0), // NaN stays NaN, so that a diverged training is noticed
  derivative: x => (x > 0 ? 1 : 0),
}
