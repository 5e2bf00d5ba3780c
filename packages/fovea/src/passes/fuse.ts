/**
 * @file Joins batch-norm with the residual that is added after it and the activation that follows, in a model's graph,
 * before training or inference mode and before autodiff: the fused operator brings its own gradient, so the backward
 * pass is fused as well. On a processor these passes over memory are half of an unfused step.
 */
import type { Graph, Node, Value } from '../graph/graph.js'
import { sameShape } from '../graph/types.js'
import type { ActivationName } from '../ops/activation.js'
import { type BatchNormAttributes, batchNorm } from '../ops/batch-norm.js'
import { hasTrait } from '../ops/index.js'
import { soleReaderIn } from './readers.js'
import { rewrite } from './rewrite.js'

interface Chain {
  readonly norm: Node
  readonly residual?: Value
  readonly activation?: ActivationName
}

/** `activation(batchNorm(x) + residual)` becomes one batchNorm; what has other readers in between stays as it is. */
export function fuse(graph: Graph): Graph {
  const soleReader = soleReaderIn(graph)
  const chains = findChains(graph, soleReader)
  const absorbed = new Set<Node>()
  for (const [last, { norm }] of chains) {
    for (let node = norm; node !== last; node = soleReader(node)!) absorbed.add(node)
  }
  return rewrite(graph, (node, { builder, mapped }) => {
    if (absorbed.has(node)) return []
    const chain = chains.get(node)
    if (chain === undefined) return undefined
    const { norm, residual, activation } = chain
    const inputs = [...norm.inputs, ...(residual === undefined ? [] : [residual])].map(mapped)
    const attrs = { ...(norm.attrs as BatchNormAttributes), ...(activation === undefined ? {} : { activation }) }
    return builder.emitAll(batchNorm, inputs, attrs, norm.name)
  })
}

/** The chains by their last node. Where both sides of an addition are batch-norms, the later one takes the other in. */
function findChains(graph: Graph, soleReader: (node: Node) => Node | undefined): Map<Node, Chain> {
  const chains = new Map<Node, Chain>()
  const taken = new Set<Node>()
  for (const norm of [...graph.nodes].reverse()) {
    if (norm.op !== 'batchNorm' || norm.inputs.length > 5 || norm.attrs['activation'] !== undefined) continue
    let last = norm
    let chain: Chain = { norm }
    const sum = soleReader(last)
    if (sum?.op === 'add' && !taken.has(sum)) {
      const residual = sum.inputs.find(input => input.node !== norm)
      if (residual !== undefined && sum.inputs.every(({ type }) => sameShape(type.shape, norm.outputs[0].shape))) {
        chain = { ...chain, residual }
        last = sum
        taken.add(sum)
      }
    }
    const next = soleReader(last)
    if (next !== undefined && hasTrait(next, 'activation')) {
      chain = { ...chain, activation: next.op as ActivationName }
      last = next
    }
    if (last !== norm) chains.set(last, chain)
  }
  return chains
}
