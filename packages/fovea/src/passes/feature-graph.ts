/** @file The part of a model up to layers named by their nodes: its features, for what is built upon a backbone. */
import { unknownName } from '../errors.js'
import { type Graph, isLeaf } from '../graph/graph.js'
import { graphOf } from '../graph/graph-setting.js'
import { GraphBuilder } from '../ops/builder.js'
import { list, text } from '../settings/kinds.js'
import { rewriteInto } from './rewrite.js'

const nodeNames = list('whose values are wanted', 'names of nodes', text('a node'))

/**
 * A graph whose outputs are the values of these nodes, under their names; what only the rest of the model needs is gone, its
 * head for example. It takes the model's weights, and goes where a model's graph goes: `evaluationGraph` makes it
 * ready to run. (torchvision's `create_feature_extractor`.)
 * @param nodes names as `printGraph` shows them: `layer2.0.relu`. Values of images are NHWC
 * @throws InvalidArgumentError for a name that no node has, or that is given twice
 */
export function featureGraph(graph: Graph, nodes: readonly string[]): Graph {
  graphOf(graph)
  nodeNames.parse(nodes, 'nodes')
  const builder = new GraphBuilder()
  const { mapped } = rewriteInto(builder, { ...graph, outputs: new Map(), updates: new Map() })
  const computed = new Map(graph.nodes.flatMap(node => (isLeaf(node) ? [] : [[node.name, node] as const])))
  for (const name of nodes) {
    const node = computed.get(name)
    if (node === undefined) throw unknownName('node', name, [...computed.keys()])
    builder.output(name, mapped({ node, index: 0, type: node.outputs[0] }))
  }
  return builder.build()
}
