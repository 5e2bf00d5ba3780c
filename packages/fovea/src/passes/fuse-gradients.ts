/**
 * @file Joins, after autodiff, what would read and write an activation's gradient twice: where squeeze-and-excitation
 * scales x by s(mean of x), x's gradient is dy · s plus a value per image and channel, one pass instead of three.
 */
import type { Graph, Node } from '../graph/graph.js'
import { sameShape } from '../graph/types.js'
import { multiply } from '../ops/multiply.js'
import { multiplyAdd } from '../ops/multiply-add.js'
import { soleReaderIn } from './readers.js'
import { rewrite } from './rewrite.js'

/** `a · b + globalAveragePoolGradient(g)` becomes `multiplyAdd(a, b, g / pixels)`. */
export function fuseGradients(graph: Graph): Graph {
  const soleReader = soleReaderIn(graph)
  const sums = new Map<Node, { readonly product: Node; readonly pooled: Node }>()
  for (const sum of graph.nodes) {
    if (sum.op !== 'add') continue
    const product = sum.inputs.map(input => input.node).find(({ op }) => op === 'multiply')
    const pooled = sum.inputs.map(input => input.node).find(({ op }) => op === 'globalAveragePoolGradient')
    if (product === undefined || pooled === undefined) continue
    const whole = sameShape(product.inputs[0].type.shape, sum.outputs[0].shape)
    if (whole && soleReader(product) === sum && soleReader(pooled) === sum) sums.set(sum, { product, pooled })
  }
  const gone = new Set([...sums.values()].flatMap(({ product, pooled }) => [product, pooled]))
  return rewrite(graph, (node, { builder, mapped }) => {
    if (gone.has(node)) return []
    const parts = sums.get(node)
    if (parts === undefined) return undefined
    const [, height, width] = node.outputs[0].shape
    const [gradient] = parts.pooled.inputs.map(mapped)
    const pixels = builder.constant(1 / (height * width), [], gradient.type.dtype)
    const share = builder.emit(multiply, [gradient, pixels], {}, `${node.name}.share`)
    return [builder.emit(multiplyAdd, [...parts.product.inputs.map(mapped), share], {}, node.name)]
  })
}
