/**
 * @file The part of a model that training leaves as it is: what leads from the image to the last layer whose weights are frozen. It sees
 * each image as in inference.
 */
import { type Graph, isLeaf, type Node } from '../graph/graph.js'
import { hasTrait } from '../ops/index.js'

/** Those whose values do not change while the model trains. Ranges of what is rounded do: they follow what they see. */
function fixedNodes({ nodes }: Graph, isFrozen: (name: string) => boolean): ReadonlySet<Node> {
  const fixed = new Set<Node>()
  for (const node of nodes) {
    const changes = node.op === 'parameter' ? !isFrozen(node.name) : node.op === 'fakeQuantize'
    if (!changes && node.inputs.every(input => fixed.has(input.node))) fixed.add(node)
  }
  return fixed
}

/**
 * @param isFrozen whether a parameter does not train
 * @returns the nodes up to the last layers that have frozen weights and no trained ones before them; none where nothing is frozen
 */
export function frozenPart(graph: Graph, isFrozen: (name: string) => boolean): ReadonlySet<Node> {
  const fixed = fixedNodes(graph, isFrozen)
  const part = new Set<Node>()
  for (const node of graph.nodes.toReversed()) {
    const isRead = part.has(node)
    const isLayer = fixed.has(node) && node.inputs.some(({ node: { op } }) => op === 'parameter')
    if (isRead || isLayer) for (const input of [node, ...node.inputs.map(({ node }) => node)]) part.add(input)
  }
  return part
}

/**
 * The node whose value is all that the rest of the model, which trains, takes from the frozen part: the features of an image.
 * @returns undefined where there is no such single value
 */
export function featureNode(graph: Graph, isFrozen: (name: string) => boolean): Node | undefined {
  const part = frozenPart(graph, isFrozen)
  if (part.size === 0) return undefined
  const fixed = fixedNodes(graph, isFrozen)
  const isGiven = (node: Node): boolean => part.has(node) || (fixed.has(node) && !hasTrait(node, 'random'))
  const rest = graph.nodes.filter(node => !isGiven(node))
  const read = new Set(rest.flatMap(({ inputs }) => inputs.map(({ node }) => node)).filter(isGiven))
  const given = [...read].filter(node => node.op === 'input' || !isLeaf(node))
  return given.length === 1 && given[0].op !== 'input' ? given[0] : undefined
}
