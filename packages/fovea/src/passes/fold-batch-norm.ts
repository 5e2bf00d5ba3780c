/**
 * @file For inference: a batch-norm that alone reads a convolution goes into the convolution's weight and bias, and so do
 * the residual that is added after it and the activation that follows, with a norm in between or without. What is left of a
 * network are convolutions.
 */
import type { Graph, Node, Value } from '../graph/graph.js'
import type { BatchNormAttributes } from '../ops/batch-norm.js'
import { type Conv2dAttributes, conv2d } from '../ops/conv2d.js'
import { foldedWeights } from '../ops/folded-weights.js'
import { fuse, joinChains } from './fuse.js'
import { soleReaderIn } from './readers.js'
import { rewrite } from './rewrite.js'

/** A model's graph (as it is, not yet in training mode) with fewer, larger operators and the same parameters. */
export function foldBatchNorm(graph: Graph): Graph {
  // Before convolutions join anything: of two sides of an addition, that with a norm takes in the other, a bare projection.
  const fused = fuse(graph)
  const soleReader = soleReaderIn(fused)
  const absorbed = new Map<Node, Node>() // a batch-norm, and the convolution that goes into it
  for (const node of fused.nodes) {
    // Folded weights are float32; a convolution by weights of another type keeps them as they are.
    const isFoldable = node.op === 'conv2d' && node.inputs[1].type.dtype === 'float32'
    const norm = isFoldable ? soleReader(node) : undefined
    if (norm?.op === 'batchNorm' && norm.inputs[0].node === node) absorbed.set(norm, node)
  }
  const gone = new Set(absorbed.values())
  const folded = rewrite(fused, (node, { builder, mapped }) => {
    if (gone.has(node)) return []
    const convolution = absorbed.get(node)
    if (convolution === undefined) return undefined
    const { epsilon, activation } = node.attrs as BatchNormAttributes
    const [, gamma, beta, mean, variance, residual] = node.inputs
    const [x, weight, bias] = convolution.inputs
    const present = [weight, gamma, beta, mean, variance, bias].filter((value): value is Value => value !== undefined)
    const parts = builder.emitAll(foldedWeights, present.map(mapped), { epsilon }, `${convolution.name}.folded`)
    const inputs = [mapped(x), ...parts, ...(residual === undefined ? [] : [mapped(residual)])]
    const attrs = { ...(convolution.attrs as Conv2dAttributes), ...(activation === undefined ? {} : { activation }) }
    return builder.emitAll(conv2d, inputs, attrs, convolution.name)
  })
  return joinChains(folded, convolutionStarts)
}

/** A residual is the input behind the bias. */
function convolutionStarts({ op, inputs, attrs }: Node) {
  if (op !== 'conv2d' || inputs.length > 3 || attrs['activation'] !== undefined) return undefined
  return inputs.length === 3 ? 'takes a residual' : 'takes none'
}
