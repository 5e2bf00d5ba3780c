/**
 * @file A trained model for other classes: its head is replaced by a fresh one, all else keeps its weights. The head is what makes
 * the axis of classes: a fully connected layer, a convolution whose logits are pooled, a sum that is added. Graph surgery, so it
 * works for any model, whatever it was made from.
 */
import { InvalidArgumentError, SettingError } from '../errors.js'
import { type Graph, isState, type Node, stateNodes, type Value } from '../graph/graph.js'
import { type Initializer, initializerOf } from '../graph/initializer.js'
import { elements, isFloat, type Shape } from '../graph/types.js'
import { initialWeights } from '../nn/initializers.js'
import { withOutputShape } from '../ops/axes.js'
import { opDefinition } from '../ops/index.js'
import { rewrite } from '../passes/rewrite.js'
import { list, text, whole } from '../settings/kinds.js'
import type { Model } from './model.js'
import { modelOf } from './model-setting.js'

/**
 * The nodes that have an axis of classes, and which it is: from the logits backwards as far as operators say that an axis of what they
 * read is that axis, index by index.
 */
function classAxes(graph: Graph): ReadonlyMap<Node, number> {
  const axes = new Map<Node, number>()
  const rest: (readonly [Value, number])[] = [[graph.outputs.get('logits')!, 1]]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const [{ node, index }, axis] = next
    if (axes.has(node)) continue
    axes.set(node, axis)
    if (!isState(node)) rest.push(...sources(node, index, axis))
  }
  return axes
}

/** What a node reads that has the same indices along some axis as its output has along this one. */
function sources(node: Node, index: number, axis: number): (readonly [Value, number])[] {
  const { op, inputs, outputs, attrs, name } = node
  const types = inputs.map(({ type }) => type)
  const links = op === 'constant' || op === 'input' ? [] : opDefinition(op).axes(types, outputs, attrs)
  const link = links.find(axes => axes.some(at => at.tensor === 'output' && at.index === index && at.axis === axis))
  const isWhole = link?.every(({ channels }) => channels.every((channel, i) => channel === i))
  const read = link?.flatMap(at => (at.tensor === 'input' ? [[inputs[at.index], at.axis] as const] : [])) ?? []
  if (isWhole && read.length > 0) return read
  throw new InvalidArgumentError(`the model has no layer to be its head: '${name}' (${op}) makes its logits`)
}

/** The names of the head's parameters. */
export const headParameters = (graph: Graph): string[] => {
  const axes = classAxes(graph)
  return graph.nodes.filter(node => node.op === 'parameter' && axes.has(node)).map(({ name }) => name)
}

const classNames = list('the new classes', 'class names', text('a class')).refine(({ length }, path) => {
  if (length < 2) throw new SettingError(path, `a classifier needs at least 2 classes, got ${length}`)
})

/**
 * @param seed of the new layer's weights
 * @throws InvalidArgumentError for fewer than two labels, or a model whose logits come from no layer of floats
 */
export function replaceHead(model: Model, labels: readonly string[], seed = 0): Model {
  modelOf(model)
  classNames.parse(labels, 'labels')
  whole('of the weights').parse(seed, 'seed')
  const axes = classAxes(model.graph)
  const resized = (node: Node): Shape => node.outputs[0].shape.with(axes.get(node)!, labels.length)
  const graph = rewrite(model.graph, (node, { builder, mapped }) => {
    if (!axes.has(node)) return undefined
    const { op, name, inputs, attrs } = node
    const [{ dtype }] = node.outputs
    const shape = resized(node)
    if (!isState(node))
      return builder.emitAll(opDefinition(op), inputs.map(mapped), withOutputShape(attrs, shape), name)
    if (!isFloat(dtype)) {
      throw new InvalidArgumentError(
        `the model's head, '${name}', is ${dtype}: other classes need the model as it was before it was quantized`,
      )
    }
    const add = op === 'parameter' ? builder.parameter : builder.buffer
    return [add.call(builder, name, shape, startOf(node, axes.get(node)!), dtype)]
  })
  const names = new Set([...axes.keys()].map(({ name }) => name))
  const fresh = initialWeights({ ...graph, nodes: stateNodes(graph).filter(({ name }) => names.has(name)) }, seed)
  const weights = new Map(stateNodes(graph).map(({ name }) => [name, fresh.get(name) ?? model.weights.get(name)!]))
  return { ...model, graph, weights, labels }
}

/**
 * What a weight starts with. Those of a file that does not say would be 0, from which no layer before a ReLU learns: they start as
 * PyTorch's layers do.
 */
function startOf(node: Node, axis: number): Initializer {
  const [{ shape }] = node.outputs
  const own = initializerOf(node)
  if (own.type !== 'zeros' || shape.length < 2) return own
  return { type: 'uniform', bound: 1 / Math.sqrt(elements(shape.toSpliced(axis, 1))) }
}
