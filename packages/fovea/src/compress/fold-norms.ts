/** @file A model for inference alone: its norms have gone into the convolutions before them, as numbers. */

import { zeroArray } from '../graph/arrays.js'
import { consumers, isState, type Node, stateNodes } from '../graph/graph.js'
import type { Model, Weights } from '../models/model.js'
import { opDefinition } from '../ops/index.js'
import { foldBatchNorm } from '../passes/fold-batch-norm.js'
import { inferenceMode } from '../passes/inference-mode.js'
import { rewrite } from '../passes/rewrite.js'

/**
 * The model as `evaluationGraph` runs it, with the folded weights and biases as its own: a convolution `conv1` has
 * `conv1.weight` and `conv1.bias`. It computes the same, has fewer operators, and is trained no more.
 */
export function foldNorms(model: Model): Model {
  const folded = foldBatchNorm(inferenceMode(model.graph))
  const readers = consumers(folded)
  const isFold = ({ op, inputs }: Node): boolean => op === 'foldedWeights' && inputs.every(({ node }) => isState(node))
  const values: Weights = new Map(model.weights)
  const graph = rewrite(folded, (node, { builder }) => {
    if (isState(node) && readers.get(node)!.every(isFold)) return []
    if (!isFold(node)) return undefined
    const results = node.outputs.map(zeroArray)
    opDefinition(node.op).reference(
      node.inputs.map(({ node: { name }, type }) => ({ ...type, data: model.weights.get(name)! })),
      node.outputs.map((type, i) => ({ ...type, data: results[i] })),
      node.attrs,
    )
    const [{ name: layer }] = readers.get(node)!
    return node.outputs.map(({ shape }, i) => {
      const name = `${layer}.${i === 0 ? 'weight' : 'bias'}`
      values.set(name, results[i])
      return builder.parameter(name, shape, { type: 'zeros' })
    })
  })
  return { ...model, graph, weights: new Map(stateNodes(graph).map(({ name }) => [name, values.get(name)!])) }
}
