/** @file ReLU: max(x, 0). Nair and Hinton 2010. */
import type { Activation } from './activation.js'

export const relu: Activation = {
  value: x => (x > 0 ? x : 0),
  derivative: x => (x > 0 ? 1 : 0),
}
