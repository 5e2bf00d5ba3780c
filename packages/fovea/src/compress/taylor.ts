/** @file What the loss says of each channel: how much it changes, to first order, when the channel is left out. */
import { outputsOf, parameterNodes } from '../graph/graph.js'
import type { Model } from '../models/model.js'
import { GraphBuilder } from '../ops/builder.js'
import { crossEntropy } from '../ops/cross-entropy.js'
import { autodiff } from '../passes/autodiff.js'
import { inferenceMode } from '../passes/inference-mode.js'
import { rewriteInto } from '../passes/rewrite.js'
import { setBatchSize } from '../passes/set-batch-size.js'
import { logitsOf } from '../train/training-graph.js'
import type { ChannelGroups } from './channel-groups.js'
import { type Importance, sumsAlong } from './importance.js'
import { type MeasuredOn, overBatches } from './over-batches.js'

/**
 * The square of the sum of gradient times weight over all of a channel's parameters, in the mean over batches: Molchanov et
 * al. 2019 (arXiv 1906.10771), section 3.1, with a batch in place of an image.
 * @param groups of the model's graph
 */
export async function taylorImportance(
  groups: ChannelGroups,
  model: Model,
  measuredOn: MeasuredOn,
): Promise<Importance> {
  const { batchSize } = measuredOn
  const builder = new GraphBuilder()
  const graph = inferenceMode(setBatchSize(model.graph, batchSize))
  const { mapped } = rewriteInto(builder, graph)
  const label = builder.input('label', [batchSize], 'int32')
  const loss = builder.emit(crossEntropy, [mapped(logitsOf(graph)), label], { labelSmoothing: 0 }, 'loss')
  const parameters = parameterNodes(graph)
  const gradients = autodiff(
    builder,
    loss,
    parameters.map(node => mapped(outputsOf(node)[0])),
  )
  const outputs = parameters.map(({ name }, i) => [name, gradients[i]] as const)
  for (const [name, gradient] of outputs) if (gradient) builder.output(name, gradient)
  const squares = new Map<number, number>()
  const batches = await overBatches(builder.build(), model, measuredOn, found => {
    const changes = new Map<number, number>()
    for (const node of parameterNodes(groups.graph)) {
      const weights = model.weights.get(node.name)!
      const products = found[node.name]?.map((value: number, i: number) => value * weights[i])
      if (products === undefined) continue
      for (const axis of node.outputs[0].shape.keys()) {
        for (const [channel, sum] of sumsAlong(groups, node, axis, products)) {
          changes.set(channel, (changes.get(channel) ?? 0) + sum)
        }
      }
    }
    for (const [channel, change] of changes) squares.set(channel, (squares.get(channel) ?? 0) + change ** 2)
  })
  return new Map([...squares].map(([channel, sum]) => [channel, sum / batches]))
}
