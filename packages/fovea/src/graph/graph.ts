/**
 * @file The graph: immutable nodes in SSA form, in topological order. It is plain data that refers to operators by name
 * only; what an operator means stands in `ops/`.
 */
import type { TensorType } from './types.js'

/** An attribute is JSON, so that a graph can be saved as data. */
export type Attribute = string | number | boolean | null | readonly number[] | { readonly [key: string]: Attribute }
export type Attributes = { readonly [key: string]: Attribute | undefined }

/** One application of an operator. `name` is unique in its graph; parameters carry torchvision's names. */
export interface Node {
  readonly op: string
  readonly name: string
  readonly inputs: readonly Value[]
  readonly attrs: Attributes
  readonly outputs: readonly TensorType[]
}

/** One result of a node. */
export interface Value {
  readonly node: Node
  readonly index: number
  readonly type: TensorType
}

/**
 * `nodes` are in topological order. `outputs` are what a run returns, by name. `updates` assigns, after a run, a value
 * to a parameter or buffer of that name (a training step updates weights, momentum and running statistics so).
 */
export interface Graph {
  readonly nodes: readonly Node[]
  readonly outputs: ReadonlyMap<string, Value>
  readonly updates: ReadonlyMap<string, Value>
}

/** Leaves: `input` is fed at every run, `parameter` and `buffer` are state that lives between runs, `constant` is a number. */
const leafOps: ReadonlySet<string> = new Set(['input', 'parameter', 'buffer', 'constant'])
/** Whether a node reads no other: an input, a constant, or state. */
export const isLeaf = ({ op }: Pick<Node, 'op'>): boolean => leafOps.has(op)
/** Whether a node outlives a run: a parameter, which is trained, or a buffer, which is not. */
export const isState = (node: Node): boolean => node.op === 'parameter' || node.op === 'buffer'

/** The parameter to which a slot belongs: `conv1.weight` for `conv1.weight:velocity`; undefined for what is no slot. */
export function slotOwner(name: string): string | undefined {
  const colon = name.lastIndexOf(':')
  return colon < 0 ? undefined : name.slice(0, colon)
}

/** What a node computes, in the order of its types. */
export const outputsOf = (node: Node): Value[] => node.outputs.map((type, index) => ({ node, index, type }))

/** What a run is fed, in the order of the graph. */
export const inputNodes = (graph: Graph): Node[] => graph.nodes.filter(node => node.op === 'input')
/** What training changes by gradient. */
export const parameterNodes = (graph: Graph): Node[] => graph.nodes.filter(node => node.op === 'parameter')
/** Parameters and buffers (running statistics, optimizer slots). */
export const stateNodes = (graph: Graph): Node[] => graph.nodes.filter(isState)

/** The nodes that read each node's outputs, in order. A node that reads twice appears twice. */
export function consumers(graph: Graph): Map<Node, Node[]> {
  const map = new Map<Node, Node[]>(graph.nodes.map(node => [node, []]))
  for (const node of graph.nodes) for (const input of node.inputs) map.get(input.node)?.push(node)
  return map
}

/** What depends on no image: state and constants, and what is made of them, such as numbers of integer weights. */
export function preparedNodes({ nodes }: Graph): ReadonlySet<Node> {
  const prepared = new Set<Node>()
  for (const node of nodes) {
    if (node.op !== 'input' && node.inputs.every(({ node }) => prepared.has(node))) prepared.add(node)
  }
  return prepared
}
