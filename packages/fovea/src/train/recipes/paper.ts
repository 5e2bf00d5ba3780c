/**
 * @file The ResNet paper's recipe for CIFAR-10. He et al. 2015 (arXiv 1512.03385), section 4.2. Other than there, the mean
 * is subtracted by channel and not by pixel, and ResNet-110 has no first 400 steps at a tenth of the rate.
 */
import { cropAndFlip } from './crop-and-flip.js'
import type { Recipe } from './recipe.js'

const DECAY = 1e-4

export const paper: Recipe = {
  about:
    'as the ResNet paper trains on CIFAR-10: SGD for 64,000 steps (in whole epochs); the rate is 0.1, then 0.01 after half of the steps and 0.001 after three quarters',
  batchSize: 128,
  steps: 64_000,
  // Momentum without Nesterov.
  optimizer: { type: 'sgd', momentum: 0.9, nesterov: false, weightDecay: DECAY },
  // As parts of the run: 32,000 and 48,000 of 64,000.
  schedule: { type: 'step', rate: 0.1, milestones: [0.5, 0.75], factor: 0.1 },
  referenceBatch: 128,
  // On all parameters: to leave out biases and norms came later (He et al. 2018).
  groups: () => [{ match: '*', weightDecay: DECAY }],
  labels: 'index',
  labelSmoothing: 0,
  augmentation: cropAndFlip,
}
