/**
 * @file Which values are on their way to being the next content of a state, and may so lie in its memory: what an update
 * assigns, and what that is made from in place.
 */
import { type Graph, isLeaf, type Node, type Value } from '../graph/graph.js'
import { opDefinition } from '../ops/index.js'

/** By node, for each of its outputs the name of such a state. */
export function nextStates(graph: Graph): ReadonlyMap<Node, readonly (string | undefined)[]> {
  const states = new Map<Node, (string | undefined)[]>()
  for (const [name, next] of graph.updates) {
    for (let value: Value | undefined = next; value !== undefined; value = overwrittenBy(value)) {
      const names: (string | undefined)[] = states.get(value.node) ?? value.node.outputs.map(() => undefined)
      if (isLeaf(value.node) || names[value.index] !== undefined) break
      names[value.index] = name
      states.set(value.node, names)
    }
  }
  return states
}

/** The input in whose memory a value lies at best. */
function overwrittenBy({ node, index }: Value): Value | undefined {
  const { memory } = opDefinition(node.op)
  const [input] = memory === 'view' ? [] : (memory[index] ?? [])
  return input === undefined ? undefined : node.inputs[input]
}
