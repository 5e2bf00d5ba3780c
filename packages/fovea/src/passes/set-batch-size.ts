/** @file Rebuilds a graph for another batch size: every input's first axis changes, all else is inferred again. */
import { InvalidArgumentError } from '../errors.js'
import type { Graph } from '../graph/graph.js'
import { rewrite } from './rewrite.js'

/** @throws InvalidArgumentError unless `batch` is a whole number of at least 1 */
export function setBatchSize(graph: Graph, batch: number): Graph {
  if (!Number.isInteger(batch) || batch < 1) {
    throw new InvalidArgumentError(`the batch size must be a whole number of at least 1, got ${batch}`)
  }
  return rewrite(graph, (node, { builder }) => {
    if (node.op !== 'input') return undefined
    const { shape, dtype } = node.outputs[0]
    return [builder.input(node.name, [batch, ...shape.slice(1)], dtype)]
  })
}
