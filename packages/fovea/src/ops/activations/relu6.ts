/** @file ReLU6: min(max(x, 0), 6). Krizhevsky 2010. */
import type { Activation } from './activation.js'

export const relu6: Activation = {
  exponential: false,
  value: x => Math.min(Math.max(x, 0), 6),
  derivative: x => (x > 0 && x < 6 ? 1 : 0),
}
