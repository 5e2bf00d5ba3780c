/** @file What the Keras tutorials train with; the default of their network, `cnn`. */
import type { Recipe } from './recipe.js'

export const keras: Recipe = {
  about: 'Adam at 0.001 and categorical cross-entropy on one-hot labels, as the Keras tutorials train',
  batchSize: 32,
  optimizer: { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  schedule: { type: 'constant', rate: 1e-3 },
  labels: 'one-hot',
  labelSmoothing: 0,
  augmentation: () => ({}),
}
