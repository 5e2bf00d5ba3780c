/**
 * @file Running statistics of batch-norms, estimated anew: after weights were changed without training, what norms expect
 * is no longer what they get.
 */
import type { Model } from '../models/model.js'
import { GraphBuilder } from '../ops/builder.js'
import { inferenceMode } from '../passes/inference-mode.js'
import { rewriteInto } from '../passes/rewrite.js'
import { setBatchSize } from '../passes/set-batch-size.js'
import { trainingMode } from '../passes/training-mode.js'
import { type MeasuredOn, overBatches } from './over-batches.js'

/**
 * The model with the means of its batches' statistics, as PyTorch's `momentum=None` keeps them. Weights stay as they are.
 * @returns the model itself where it has no norms
 */
export async function estimateNorms(model: Model, measuredOn: MeasuredOn): Promise<Model> {
  const training = trainingMode(inferenceMode(setBatchSize(model.graph, measuredOn.batchSize)))
  if (training.updates.size === 0) return model
  const builder = new GraphBuilder()
  const { mapped } = rewriteInto(builder, { ...training, outputs: new Map(), updates: new Map() })
  for (const [name, { node }] of training.updates) builder.output(name, mapped(node.inputs[1]))
  const sums = new Map(
    [...training.updates.keys()].map(name => [name, new Float64Array(model.weights.get(name)!.length)]),
  )
  const batches = await overBatches(builder.build(), model, measuredOn, found => {
    for (const [name, sum] of sums) for (let i = 0; i < sum.length; i++) sum[i] += found[name][i]
  })
  const weights = new Map(model.weights)
  for (const [name, sum] of sums) {
    const scale = training.updates.get(name)!.node.attrs['scale'] as number
    weights.set(
      name,
      Float32Array.from(sum, total => (total * scale) / batches),
    )
  }
  return { ...model, weights }
}
