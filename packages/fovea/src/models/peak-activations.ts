/** @file How much memory the activations of an image take at once, where each goes as soon as nobody reads it any more. */
import { type Node, preparedNodes } from '../graph/graph.js'
import { tensorBytes } from '../graph/types.js'
import { foldBatchNorm } from '../passes/fold-batch-norm.js'
import { inferenceMode } from '../passes/inference-mode.js'
import { integerArithmetic } from '../passes/integer-arithmetic.js'
import { mixedPrecision, type PrecisionOptions, precisionOptions } from '../passes/mixed-precision.js'
import type { Model } from './model.js'
import { modelOf } from './model-setting.js'

/**
 * The most bytes that the outputs of layers take at any moment of inference for one image, with what the layer at work reads
 * and writes. An engine that computes layers together, or in place, needs less.
 * @throws SettingError for what is no model; InvalidArgumentError for an unknown policy, or a pattern of `keepFloat32` that matches
 *   no layer
 */
export function peakActivationBytes(model: Model, options: PrecisionOptions = {}): number {
  const folded = integerArithmetic(foldBatchNorm(inferenceMode(modelOf(model).graph)))
  const graph = mixedPrecision(folded, precisionOptions.parse(options, ''))
  const prepared = preparedNodes(graph)
  const nodes = graph.nodes.filter(node => !prepared.has(node))
  const lastUse = new Map<Node, number>()
  nodes.forEach((node, i) => {
    lastUse.set(node, i)
    for (const { node: read } of node.inputs) lastUse.set(read, i)
  })
  for (const { node } of graph.outputs.values()) lastUse.set(node, nodes.length)
  let [peak, live] = [0, 0]
  const free = nodes.map(() => 0)
  nodes.forEach((node, i) => {
    const bytes = node.outputs.reduce((sum, type) => sum + tensorBytes(type), 0)
    live += bytes
    peak = Math.max(peak, live)
    const last = lastUse.get(node)!
    if (last < nodes.length) free[last] += bytes
    live -= free[i]
  })
  return peak
}
