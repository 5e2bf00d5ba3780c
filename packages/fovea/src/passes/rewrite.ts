/** @file The one way in which passes change a graph: node by node in order, into a new builder. */
import type { Graph, Node, Value } from '../graph/graph.js'
import { initializerOf } from '../graph/initializer.js'
import { GraphBuilder } from '../ops/builder.js'
import { opDefinition } from '../ops/index.js'

export interface RewriteContext {
  readonly builder: GraphBuilder
  /** The new value that stands for a value of the old graph (which must come earlier). */
  readonly mapped: (old: Value) => Value
}

/** Returns the values that stand for the node's outputs, or undefined to copy the node as it is. */
export type RewriteRule = (node: Node, context: RewriteContext) => readonly Value[] | undefined

/**
 * A new graph in which each node is what `rule` makes of it. Types are inferred afresh, so a rule that changes an
 * input's shape changes all that depends on it.
 */
export function rewrite(graph: Graph, rule: RewriteRule): Graph {
  return rewriteInto(new GraphBuilder(), graph, rule).builder.build()
}

/** As `rewrite`, into a builder to which the caller adds more; outputs and updates are copied. */
export function rewriteInto(builder: GraphBuilder, graph: Graph, rule: RewriteRule = () => undefined): RewriteContext {
  const values = new Map<Node, readonly Value[]>()
  const mapped = (old: Value): Value => {
    const value = values.get(old.node)?.[old.index]
    if (value === undefined) throw new Error(`rewrite: '${old.node.name}' is used before it is made`)
    return value
  }
  const context = { builder, mapped }
  for (const node of graph.nodes) values.set(node, rule(node, context) ?? copyNode(builder, node, mapped))
  for (const [name, value] of graph.outputs) builder.output(name, mapped(value))
  for (const [name, value] of graph.updates) {
    const state = graph.nodes.find(node => node.name === name)
    if (state !== undefined) builder.update(mapped({ node: state, index: 0, type: state.outputs[0] }), mapped(value))
  }
  return context
}

function copyNode(builder: GraphBuilder, node: Node, mapped: (old: Value) => Value): readonly Value[] {
  const { shape, dtype } = node.outputs[0]
  if (node.op === 'input') return [builder.input(node.name, shape, dtype)]
  if (node.op === 'constant') return [builder.constant(node.attrs['value'] as number | number[], shape, dtype)]
  const initializer = initializerOf(node)
  if (node.op === 'parameter') return [builder.parameter(node.name, shape, initializer, dtype)]
  if (node.op === 'buffer') return [builder.buffer(node.name, shape, initializer, dtype)]
  return builder.emitAll(opDefinition(node.op), node.inputs.map(mapped), node.attrs, node.name)
}
