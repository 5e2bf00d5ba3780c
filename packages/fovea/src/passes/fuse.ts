/**
 * @file Joins batch-norm with the residual that is added after it and the activation that follows, in a model's graph,
 * before training or inference mode and before autodiff: the fused operator brings its own gradient, so the backward
 * pass is fused as well. On a processor these passes over memory are half of an unfused step.
 */
import type { Graph, Node, Value } from '../graph/graph.js'
import { sameShape } from '../graph/types.js'
import type { ActivationName } from '../ops/activation.js'
import { hasTrait, opDefinition } from '../ops/index.js'
import { soleReaderIn } from './readers.js'
import { rewrite } from './rewrite.js'

/** A node, and what joins it. */
interface Chain {
  readonly first: Node
  readonly residual?: Value
  readonly activation?: ActivationName
}

/** `activation(batchNorm(x) + residual)` becomes one batchNorm; what has other readers in between stays as it is. */
export function fuse(graph: Graph): Graph {
  const starts = ({ op, inputs, attrs }: Node) =>
    op === 'batchNorm' && inputs.length === 5 && attrs['activation'] === undefined ? 'takes a residual' : undefined
  return joinChains(graph, starts)
}

/** Whether a node is the first of a chain, and what joins it beside an activation. */
type Starts = (node: Node) => 'takes a residual' | 'takes none' | undefined

/** Writes each chain, where its last node stood, as its first one: the residual is the last input, the activation an attribute. */
export function joinChains(graph: Graph, starts: Starts): Graph {
  const soleReader = soleReaderIn(graph)
  const chains = findChains(graph, soleReader, starts)
  const absorbed = new Set<Node>()
  for (const [last, { first }] of chains) {
    for (let node = first; node !== last; node = soleReader(node)!) absorbed.add(node)
  }
  return rewrite(graph, (node, { builder, mapped }) => {
    if (absorbed.has(node)) return []
    const chain = chains.get(node)
    if (chain === undefined) return undefined
    const { first, residual, activation } = chain
    const inputs = [...first.inputs, ...(residual === undefined ? [] : [residual])].map(mapped)
    const attrs = { ...first.attrs, ...(activation === undefined ? {} : { activation }) }
    return builder.emitAll(opDefinition(first.op), inputs, attrs, first.name)
  })
}

/** The chains by their last node. Where both sides of an addition start one, the later takes the other in. */
function findChains(graph: Graph, soleReader: (node: Node) => Node | undefined, starts: Starts): Map<Node, Chain> {
  const chains = new Map<Node, Chain>()
  const taken = new Set<Node>()
  for (const first of [...graph.nodes].reverse()) {
    const start = starts(first)
    if (start === undefined) continue
    let last = first
    let chain: Chain = { first }
    const sum = soleReader(last)
    if (start === 'takes a residual' && sum?.op === 'add' && !taken.has(sum)) {
      const residual = sum.inputs.find(input => input.node !== first)
      if (residual !== undefined && sum.inputs.every(({ type }) => sameShape(type.shape, first.outputs[0].shape))) {
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
    if (last !== first) chains.set(last, chain)
  }
  return chains
}
