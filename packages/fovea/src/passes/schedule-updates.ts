/**
 * @file Moves each update of state as early as it may run: right after its gradient is known and nobody needs the old
 * value any more. So gradients live briefly (their memory is shared) and are read while they are still in the cache.
 */
import { consumers, type Graph, isLeaf, isState, type Node } from '../graph/graph.js'

/** The same graph with its nodes in another order. */
export function scheduleUpdates(graph: Graph): Graph {
  const readers = consumers(graph)
  const updating = new Set([...graph.updates.values()].map(value => value.node).filter(node => !isState(node)))
  const overwritten = (update: Node) =>
    [...graph.updates].filter(([, value]) => value.node === update).map(([name]) => name)
  const stateByName = new Map(graph.nodes.filter(isState).map(node => [node.name, node]))
  const statesOf = new Map<Node, string[]>([...updating].map(update => [update, overwritten(update)]))

  /** What must run before an update: its inputs, and all other readers of the states it overwrites. */
  const waiting = new Map<Node, Set<Node>>()
  for (const update of updating) {
    const before = new Set(update.inputs.map(input => input.node))
    for (const name of statesOf.get(update) ?? []) {
      for (const reader of readers.get(stateByName.get(name)!) ?? []) if (reader !== update) before.add(reader)
    }
    waiting.set(update, before)
  }
  const blockedBy = new Map<Node, Node[]>()
  for (const [update, before] of waiting)
    for (const node of before) blockedBy.set(node, [...(blockedBy.get(node) ?? []), update])

  const nodes: Node[] = []
  const emit = (node: Node) => {
    nodes.push(node)
    for (const update of blockedBy.get(node) ?? []) {
      const before = waiting.get(update)!
      before.delete(node)
      if (before.size === 0) emit(update)
    }
  }
  // Leaves cost nothing, and an update must not wait for an input that was asked for late.
  for (const node of graph.nodes) if (isLeaf(node)) emit(node)
  for (const node of graph.nodes) if (!isLeaf(node) && !updating.has(node)) emit(node)
  return { ...graph, nodes }
}
