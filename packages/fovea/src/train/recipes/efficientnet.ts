/** @file EfficientNet's own recipe, for long runs. Tan and Le 2019 (arXiv 1905.11946), section 5.2. */

import { scaledCropAndFlip } from './crop-and-flip.js'
import type { Recipe } from './recipe.js'

export const efficientnet: Recipe = {
  about:
    "EfficientNet's own, for long runs: RMSProp, a rate that falls by 3 % every 2.4 epochs, a moving average, RandAugment",
  batchSize: 128,
  optimizer: { type: 'rmsprop', decay: 0.9, momentum: 0.9, epsilon: 1e-3, weightDecay: 1e-5 },
  // 0.256 is for 4,096 images a step; the warm-up is that of the authors' code, not in the paper.
  schedule: { type: 'exponential', rate: 0.256, factor: 0.97, everyEpochs: 2.4, warmupEpochs: 5 },
  referenceBatch: 4096,
  average: { type: 'moving', decay: 0.9999 },
  labels: 'index',
  // As dropout and stochastic depth, which belong to the model, from the authors' code.
  labelSmoothing: 0.1,
  augmentation: size => ({ ...scaledCropAndFlip(size), policy: { type: 'rand-augment', operations: 2, magnitude: 9 } }),
}
