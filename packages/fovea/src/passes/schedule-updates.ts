/**
 * @file Moves each update of state as early as it may run: right after its gradient is known and nobody needs the old
 * value any more. So gradients live briefly (their memory is shared) and are read while they are still in the cache. What
 * makes a single number of a tensor, such as a gradient's sum of squares, moves likewise.
 */
import { consumers, type Graph, isLeaf, isState, type Node } from '../graph/graph.js'
import { hasTrait } from '../ops/index.js'
import { nextStates } from './next-states.js'

/** The same graph with its nodes in another order. */
export function scheduleUpdates(graph: Graph): Graph {
  const readers = consumers(graph)
  const stateByName = new Map(graph.nodes.filter(isState).map(node => [node.name, node]))
  const statesOf = nextStates(graph)
  const isEarly = (node: Node): boolean =>
    hasTrait(node, 'update') || (!isLeaf(node) && node.outputs.every(({ shape }) => shape.length === 0))

  /** What must run before such a node: its inputs, and all other readers of the states that it overwrites. */
  const waiting = new Map<Node, Set<Node>>()
  for (const node of graph.nodes.filter(isEarly)) {
    const before = new Set(node.inputs.map(input => input.node))
    for (const name of statesOf.get(node) ?? []) {
      if (name === undefined) continue
      const isNext = (reader: Node): boolean => statesOf.get(reader)?.includes(name) ?? false
      for (const reader of readers.get(stateByName.get(name)!) ?? []) if (!isNext(reader)) before.add(reader)
    }
    waiting.set(node, before)
  }
  const blockedBy = new Map<Node, Node[]>()
  for (const [early, before] of waiting)
    for (const node of before) blockedBy.set(node, [...(blockedBy.get(node) ?? []), early])

  const nodes = new Set<Node>()
  const emit = (node: Node): void => {
    if (nodes.has(node)) return
    // Most are there; one that had to wait for other readers is not, where something else needs it before these.
    for (const input of node.inputs) emit(input.node)
    nodes.add(node)
    for (const early of blockedBy.get(node) ?? []) {
      const before = waiting.get(early)!
      before.delete(node)
      if (before.size === 0) emit(early)
    }
  }
  // Leaves cost nothing, and an update must not wait for an input that was asked for late.
  for (const node of graph.nodes) if (isLeaf(node)) emit(node)
  for (const node of graph.nodes) if (!waiting.has(node)) emit(node)
  // Updates that read each other's states wait for each other.
  for (const node of graph.nodes) emit(node)
  return { ...graph, nodes: [...nodes] }
}
