/**
 * @file A new head on the features of a pretrained model, all of which stays as it is (Alain and Bengio 2016, arXiv 1610.01644).
 * Images are not augmented, so that their features are computed once (train/fixed-features.ts): a run takes seconds.
 */
import { headParameters } from '../../models/replace-head.js'
import type { Recipe } from './recipe.js'

export const linearProbe: Recipe = {
  about: 'a pretrained model for new classes (--from FILE): only the new head, on features that are computed once',
  pretrained: true,
  batchSize: 32,
  // Its steps do not depend on how large a model's features are.
  optimizer: { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  schedule: { type: 'cosine', rate: 3e-3 },
  groups: ({ graph }) => [...headParameters(graph).map(match => ({ match, rate: 1 })), { match: '*', rate: 0 }],
  normStatistics: 'running',
  labels: 'one-hot',
  labelSmoothing: 0.1,
  classWeights: 'balanced',
  augmentation: () => ({}),
}
