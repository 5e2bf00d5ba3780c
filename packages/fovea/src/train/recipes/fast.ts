/**
 * @file Most accuracy for the time: the recipe of speednet. Jordan 2024 (arXiv 2404.00498), which writes the loss as a sum
 * over the batch and the rates for it; here the loss is a mean, and the same numbers are written for that.
 */
import type { Recipe } from './recipe.js'

/** "lr" there: the rate for 1,024 images, before it is divided by the gain of Nesterov's momentum. */
const LEARNING_RATE = 11.5
const MOMENTUM = 0.85
/** How much longer momentum makes a step, at a constant gradient. */
const GAIN = 1 + 1 / (1 - MOMENTUM)
/** Subtracted from a weight per step and unit of it, before the same division: so the rate does not scale it. */
const DECAY = 0.0153
/** The biases of the norms learn this much faster. */
const BIAS_FACTOR = 64

export const fast: Recipe = {
  about:
    'for speednet, to be accurate in a short time: lookahead, alternating mirroring, fast biases, a triangular rate',
  batchSize: 1024,
  optimizer: { type: 'sgd', momentum: MOMENTUM, nesterov: true, weightDecay: DECAY / LEARNING_RATE },
  schedule: { type: 'triangular', peak: LEARNING_RATE / GAIN, warmup: 0.23, start: 0.2, end: 0.07 },
  referenceBatch: 1024,
  groups: () => [
    { match: '*.norm?.bias', rate: BIAS_FACTOR, weightDecay: DECAY / LEARNING_RATE / BIAS_FACTOR },
    // The whitening filters themselves are no parameters.
    { match: 'whiten.bias', weightDecay: DECAY / LEARNING_RATE, until: 3 },
  ],
  average: { type: 'lookahead', every: 5, decay: 0.95 ** 5, power: 3 },
  labels: 'index',
  labelSmoothing: 0.2,
  augmentation: size => ({
    crop: { padding: Math.max(1, Math.round(size / 16)), fill: 'reflect' },
    flip: 'alternating',
  }),
  testTimeAugmentation: 'mirror-and-shift',
}
