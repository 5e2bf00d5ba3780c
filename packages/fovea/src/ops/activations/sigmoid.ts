/** @file The logistic sigmoid: 1 / (1 + exp(-x)). */
import type { Activation } from './activation.js'

const value = (x: number): number => 1 / (1 + Math.exp(-x))

export const sigmoid: Activation = {
  exponential: true,
  value,
  derivative: x => {
    const s = value(x)
    return s * (1 - s)
  },
}
