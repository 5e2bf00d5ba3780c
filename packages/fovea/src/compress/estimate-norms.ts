/**
 * @file Running statistics of batch-norms, estimated anew: after weights were changed without training, what norms expect
 * is no longer what they get.
 */
import { batchesOf } from '../data/batches.js'
import { stateNodes } from '../graph/graph.js'
import type { Model } from '../models/model.js'
import { GraphBuilder } from '../ops/builder.js'
import { inferenceMode } from '../passes/inference-mode.js'
import { rewriteInto } from '../passes/rewrite.js'
import { setBatchSize } from '../passes/set-batch-size.js'
import { trainingMode } from '../passes/training-mode.js'
import { writeState } from '../train/state.js'
import type { MeasuredOn } from './taylor.js'

/**
 * The model with the means of its batches' statistics, as PyTorch's `momentum=None` keeps them. Weights stay as they are.
 * @returns the model itself where it has no norms
 */
export async function estimateNorms(model: Model, { engine, images, batchSize }: MeasuredOn): Promise<Model> {
  const training = trainingMode(inferenceMode(setBatchSize(model.graph, batchSize)))
  if (training.updates.size === 0) return model
  const builder = new GraphBuilder()
  const { mapped } = rewriteInto(builder, { ...training, outputs: new Map(), updates: new Map() })
  for (const [name, { node }] of training.updates) builder.output(name, mapped(node.inputs[1]))
  const graph = builder.build()
  const program = engine.compile(graph)
  try {
    await writeState(program, graph, model.weights)
    const sums = new Map(
      [...training.updates.keys()].map(name => [name, new Float64Array(model.weights.get(name)!.length)]),
    )
    let batches = 0
    for await (const batch of batchesOf(images, { batchSize, normalization: model.preprocessing })) {
      if (batch.count < batchSize && batches > 0) break
      const found = await program.run({ image: batch.images })
      for (const [name, sum] of sums) for (let i = 0; i < sum.length; i++) sum[i] += found[name][i]
      batches++
    }
    const weights = new Map(model.weights)
    for (const { name } of stateNodes(model.graph)) {
      const update = training.updates.get(name)
      if (update === undefined) continue
      const scale = update.node.attrs['scale'] as number
      weights.set(
        name,
        Float32Array.from(sums.get(name)!, sum => (sum * scale) / batches),
      )
    }
    return { ...model, weights }
  } finally {
    program.dispose()
  }
}
