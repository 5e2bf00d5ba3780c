/**
 * @file A trained model for other classes: its last layer is replaced by a fresh one, all else keeps its weights. Graph
 * surgery, so it works for any model, whatever it was made from.
 */
import { InvalidArgumentError, SettingError } from '../errors.js'
import { type Graph, type Node, stateNodes } from '../graph/graph.js'
import { initializerOf } from '../graph/initializer.js'
import { initialWeights } from '../nn/initializers.js'
import { linear } from '../ops/linear.js'
import { rewrite } from '../passes/rewrite.js'
import { list, text, whole } from '../settings/kinds.js'
import type { Model } from './model.js'
import { modelOf } from './model-setting.js'

/** The fully connected layer that makes the logits. */
function headOf(graph: Graph): Node {
  const head = graph.nodes.findLast(({ op }) => op === linear.name)
  if (head === undefined) throw new InvalidArgumentError('the model has no fully connected layer to be its head')
  return head
}

/** The names of the head's parameters. */
export const headParameters = (graph: Graph): string[] =>
  headOf(graph)
    .inputs.map(({ node }) => node)
    .filter(({ op }) => op === 'parameter')
    .map(({ name }) => name)

const classNames = list('the new classes', 'class names', text('a class')).refine(({ length }, path) => {
  if (length < 2) throw new SettingError(path, `a classifier needs at least 2 classes, got ${length}`)
})

/**
 * @param seed of the new layer's weights
 * @throws InvalidArgumentError for fewer than two labels, or a model without a fully connected layer
 */
export function replaceHead(model: Model, labels: readonly string[], seed = 0): Model {
  modelOf(model)
  classNames.parse(labels, 'labels')
  whole('of the weights').parse(seed, 'seed')
  const ofHead = new Set(headParameters(model.graph))
  const graph = rewrite(model.graph, (node, { builder }) => {
    if (!ofHead.has(node.name)) return undefined
    const [{ shape, dtype }] = node.outputs
    return [builder.parameter(node.name, [labels.length, ...shape.slice(1)], initializerOf(node), dtype)]
  })
  const fresh = initialWeights({ ...graph, nodes: stateNodes(graph).filter(({ name }) => ofHead.has(name)) }, seed)
  const weights = new Map(stateNodes(graph).map(({ name }) => [name, fresh.get(name) ?? model.weights.get(name)!]))
  return { ...model, graph, weights, labels }
}
