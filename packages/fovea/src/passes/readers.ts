/** @file Who alone reads a node: what a pass must know before it lets the node vanish into its reader. */
import { consumers, type Graph, type Node } from '../graph/graph.js'

/** Finds the only node that reads a node, if its value is no output of the graph either. */
export function soleReaderIn(graph: Graph): (node: Node) => Node | undefined {
  const readers = consumers(graph)
  const kept = new Set([...graph.outputs.values(), ...graph.updates.values()].map(value => value.node))
  return node => {
    const nodes = readers.get(node) ?? []
    return nodes.length === 1 && !kept.has(node) ? nodes[0] : undefined
  }
}
