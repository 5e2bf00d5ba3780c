/**
 * @file GELU: x · Φ(x), Φ the normal distribution function, in its exact form. Hendrycks and Gimpel 2016
 * (arXiv 1606.08415); PyTorch's default.
 */
import type { Activation } from './activation.js'

/**
 * erf by its series with all terms positive (Abramowitz and Stegun 7.1.6) up to |x| = 3, by the continued fraction of
 * erfc (7.1.14) beyond: error below 1e-15.
 */
export function erf(x: number): number {
  const a = Math.abs(x)
  if (a > 6) return Math.sign(x)
  if (a <= 3) {
    let term = a
    let sum = a
    for (let n = 1; term > 1e-17 * sum; n++) {
      term *= (2 * a * a) / (2 * n + 1)
      sum += term
    }
    return (Math.sign(x) * 2 * sum * Math.exp(-a * a)) / Math.sqrt(Math.PI)
  }
  let fraction = a
  for (let k = 60; k >= 1; k--) fraction = a + k / 2 / fraction
  return Math.sign(x) * (1 - Math.exp(-a * a) / (fraction * Math.sqrt(Math.PI)))
}

const cumulative = (x: number): number => (1 + erf(x * Math.SQRT1_2)) / 2

export const gelu: Activation = {
  exponential: true,
  value: x => x * cumulative(x),
  derivative: x => cumulative(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
}
