/** @file Hard-swish: x · relu6(x + 3) / 6. Howard et al. 2019 (MobileNetV3, arXiv 1905.02244), section 5.2. */
import type { Activation } from './activation.js'

export const hardSwish: Activation = {
  exponential: false,
  value: x => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  derivative: x => (x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6),
}
