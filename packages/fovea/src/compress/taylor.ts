/** @file What the loss says of each channel: how much it changes, to first order, when the channel is left out. */
import { InvalidArgumentError } from '../errors.js'
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
  measuredOn: MeasuredOn | undefined,
): Promise<Importance> {
  const squares = new Map<number, number>()
  const batches = await overChanges(model, measuredOn, products => {
    const changes = new Map<number, number>()
    for (const node of parameterNodes(groups.graph)) {
      const product = products.get(node.name)
      if (product === undefined) continue
      for (const axis of node.outputs[0].shape.keys()) {
        for (const [channel, sum] of sumsAlong(groups, node, axis, product)) {
          changes.set(channel, (changes.get(channel) ?? 0) + sum)
        }
      }
    }
    for (const [channel, change] of changes) squares.set(channel, (squares.get(channel) ?? 0) + change ** 2)
  })
  return new Map([...squares].map(([channel, sum]) => [channel, sum / batches]))
}

/** The same of each weight alone, by parameter. */
export async function squaredChanges(
  model: Model,
  measuredOn: MeasuredOn | undefined,
): Promise<ReadonlyMap<string, Float64Array>> {
  const squares = new Map<string, Float64Array>()
  await overChanges(model, measuredOn, products => {
    for (const [name, product] of products) {
      const sums = squares.get(name) ?? new Float64Array(product.length)
      for (let i = 0; i < sums.length; i++) sums[i] += product[i] ** 2
      squares.set(name, sums)
    }
  })
  return squares
}

/**
 * Visits, batch by batch, gradient times weight of every parameter: what the loss changes by, to first order, for each that becomes
 * 0, with the sign turned.
 * @returns how many batches there were
 * @throws InvalidArgumentError without images
 */
async function overChanges(
  model: Model,
  measuredOn: MeasuredOn | undefined,
  visit: (products: ReadonlyMap<string, Float32Array>) => void,
): Promise<number> {
  if (measuredOn === undefined) {
    throw new InvalidArgumentError("importance 'taylor' needs images to measure the loss on")
  }
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
  for (const [i, { name }] of parameters.entries()) if (gradients[i]) builder.output(name, gradients[i])
  return overBatches(builder.build(), model, measuredOn, found => {
    const products = parameters.flatMap(({ name }) => {
      const gradient = found[name]
      if (gradient === undefined) return []
      const weights = model.weights.get(name)!
      return [[name, Float32Array.from(gradient, (value, i) => value * weights[i])] as const]
    })
    visit(new Map(products))
  })
}
