/**
 * @file A pretrained model for new classes: first the new head alone, then all layers, the earlier the slower. For data sets
 * of a few hundred images: norms keep the statistics they have learned, a moving average and early stopping hold the best.
 */
import { parameterNodes } from '../../graph/graph.js'
import type { Model } from '../../models/model.js'
import { headParameters } from '../../models/replace-head.js'
import type { ParameterGroup } from '../features/parameter-groups.js'
import { scaledCropAndFlip } from './crop-and-flip.js'
import type { Recipe } from './recipe.js'

/** Epochs in which the head trains alone: random, it would spoil what the others have learned. */
const HEAD_EPOCHS = 1
/** From stage to stage towards the image. Howard and Ruder 2018 (arXiv 1801.06146), section 3.2, take 1/2.6 for three stages. */
const STAGE_FACTOR = 0.7

/** `layer3`, `conv1`, `features.4`: the first part of a name, up to a number. */
const stageOf = (name: string): string => /^[^.]*\d(?=\.)|^[^.]+\.\d+(?=\.)|^[^.]+/.exec(name)![0]

function groups({ graph }: Model): ParameterGroup[] {
  const head = headParameters(graph)
  const names = parameterNodes(graph).map(({ name }) => name)
  const stages = [...new Set(names.filter(name => !head.includes(name)).map(stageOf))].reverse()
  return [
    ...head.map(match => ({ match, rate: 1 })),
    ...stages.map((stage, i) => ({
      match: `${stage}.*`,
      rate: Number((STAGE_FACTOR ** (i + 1)).toPrecision(3)),
      from: HEAD_EPOCHS,
    })),
  ]
}

export const finetune: Recipe = {
  about:
    'a pretrained model for new classes (--from FILE): first the new head, then all layers, earlier ones more slowly',
  pretrained: true,
  batchSize: 32,
  optimizer: { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-4 },
  schedule: { type: 'one-cycle', peak: 0.02, warmup: 0.1, startDivisor: 10, endDivisor: 1000 },
  referenceBatch: 32,
  groups,
  // Batches are small and few: their statistics would be noise (Keras's guide to fine-tuning freezes the norms too).
  normStatistics: 'running',
  average: { type: 'moving', decay: 0.99 },
  clipNorm: 5,
  earlyStopping: { patience: 5 },
  labels: 'one-hot',
  labelSmoothing: 0.1,
  classWeights: 'balanced',
  // Few images: what is left of one must show what it is.
  augmentation: size => scaledCropAndFlip(size, 0.35),
}
