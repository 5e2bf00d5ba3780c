/** @file Beta-distributed numbers, by way of gamma-distributed ones (Marsaglia and Tsang 2000, ACM TOMS 26(3)). */
import { normalAt, randomAt, randomKey } from '../../random.js'

/** A number of Beta(alpha, alpha), between 0 and 1: a pure function of the key. */
export function symmetricBeta(alpha: number, key: number): number {
  const first = logGamma(alpha, randomKey(key, 0))
  const second = logGamma(alpha, randomKey(key, 1))
  return 1 / (1 + Math.exp(second - first))
}

/** The logarithm of a number of Gamma(alpha, 1): for a small alpha the number itself is soon too small to be told from 0. */
function logGamma(alpha: number, key: number): number {
  // The method needs an alpha of 1 or more; Gamma(alpha) is Gamma(alpha + 1) · U^(1 / alpha).
  if (alpha < 1) return logGamma(alpha + 1, randomKey(key, 0)) + Math.log(1 - randomAt(key, 0)) / alpha
  const d = alpha - 1 / 3
  const uniforms = randomKey(key, 1)
  for (let attempt = 0; ; attempt++) {
    const x = normalAt(key, attempt)
    const cube = (1 + x / Math.sqrt(9 * d)) ** 3
    if (cube <= 0) continue
    const logCube = Math.log(cube)
    // The paper's test; one number in twenty at most is drawn anew.
    if (Math.log(1 - randomAt(uniforms, attempt)) < 0.5 * x * x + d * (1 - cube + logCube)) return Math.log(d) + logCube
  }
}
