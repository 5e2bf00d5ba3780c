/** @file Models and a run for tests of training. */

import { referenceEngine } from '../../src/engines/reference/reference.js'
import type { Model } from '../../src/models/model.js'
import { createModel } from '../../src/models/registry.js'
import { initialWeights } from '../../src/nn/initializers.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'
import { initialLossScale } from '../../src/train/features/loss-scale.js'
import type { StepMoment } from '../../src/train/step-builder.js'
import { stripeClasses, stripeData } from './patterns.js'

/** With all that a run can depend on: batch-norm's statistics, dropout's randomness. */
export function small(): Model {
  const builder = new GraphBuilder()
  const attrs = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const
  const image = builder.input('image', [1, 8, 8, 3])
  const weight = builder.parameter('conv.weight', [8, 3, 3, 3], { type: 'normal', mode: 'fanOut', gain: 1 })
  const perChannel = (name: string, type: 'zeros' | 'ones') => builder.parameter(`bn.${name}`, [8], { type })
  const running = (name: string, type: 'zeros' | 'ones') => builder.buffer(`bn.${name}`, [8], { type })
  const norm = [
    perChannel('weight', 'ones'),
    perChannel('bias', 'zeros'),
    running('running_mean', 'zeros'),
    running('running_var', 'ones'),
  ]
  const features = builder.emit(ops.conv2d, [image, weight], attrs, 'conv')
  const normalized = builder.emit(ops.batchNorm, [features, ...norm], { epsilon: 1e-5, momentum: 0.1 }, 'bn')
  const pooled = builder.emit(ops.globalAveragePool, [builder.emit(ops.relu, [normalized], {})], {})
  const dropped = builder.emit(ops.dropout, [builder.emit(ops.flatten, [pooled], {})], { rate: 0.1, stream: 0 }, 'drop')
  const classifier = builder.parameter('fc.weight', [3, 8], { type: 'uniform', bound: 0.3 })
  builder.output('logits', builder.emit(ops.linear, [dropped, classifier], {}, 'fc'))
  const graph = builder.build()
  const preprocessing = { size: [8, 8, 3], mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25] } as const
  return { name: 'small', graph, weights: initialWeights(graph, 0), preprocessing, labels: stripeClasses }
}

/** Of a run of two epochs. */
export const firstStep: StepMoment = {
  ...{ epoch: 0, step: 0, part: 0, steps: 10, epochs: 2, seed: 0, learningRate: 0.1 },
  lossScale: initialLossScale,
}

/** A residual network for the same images. */
export const stripeModel = createModel('resnet8', { input: [8, 8, 3], labels: stripeClasses })

/** A short run on them. */
export const stripeRun = {
  data: stripeData,
  engine: referenceEngine(),
  epochs: 2,
  batchSize: 8,
  optimizer: { type: 'sgd', momentum: 0.9 },
  schedule: { type: 'constant', rate: 0.05 },
} as const
