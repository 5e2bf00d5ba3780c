/** @file The default for ResNets: SGD with Nesterov momentum under one cycle of the rate. */
import { cropAndFlip } from './crop-and-flip.js'
import type { Recipe } from './recipe.js'

export const oneCycle: Recipe = {
  about: 'SGD with Nesterov momentum; the learning rate rises for a fifth of the run, then falls to almost 0',
  batchSize: 128,
  // Decay falls on weights only: on norms and biases it does harm (He et al. 2018, arXiv 1812.01187, section 3.1).
  optimizer: { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
  // Smith 2018 (arXiv 1803.09820): starts at a tenth of the peak, ends at a ten-thousandth.
  schedule: { type: 'one-cycle', peak: 0.4, warmup: 0.2, startDivisor: 10, endDivisor: 10_000 },
  // Linear scaling (Goyal et al. 2017, arXiv 1706.02677): 0.4 is for 128 images a step and diverges on a few.
  referenceBatch: 128,
  labels: 'index',
  labelSmoothing: 0.1,
  augmentation: cropAndFlip,
}
