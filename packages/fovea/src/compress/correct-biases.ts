/**
 * @file Bias correction (Nagel et al. 2019, arXiv 1906.04721, section 4.2): rounding moves the mean of a layer's results, by
 * channel; its bias takes that back. Measured on images, for each layer by itself, all before it in float32.
 */
import type { Node } from '../graph/graph.js'
import type { Model, Weights } from '../models/model.js'
import { add } from '../ops/add.js'
import { GraphBuilder } from '../ops/builder.js'
import type { FusedConv2dAttributes } from '../ops/conv2d.js'
import { opDefinition } from '../ops/index.js'
import { multiply } from '../ops/multiply.js'
import type { ActivationScale } from '../ops/quantization.js'
import { reduceMean } from '../ops/reduce-mean.js'
import { rewriteInto } from '../passes/rewrite.js'
import { setBatchSize } from '../passes/set-batch-size.js'
import { emitIntegerLayer, roundedActivation, sourceOf } from './integer-layers.js'
import { type MeasuredOn, overBatches } from './over-batches.js'

/** A second set of parameters stands beside those of the model. */
const SUFFIX = '.int8'

/** @param layers those that are to compute in integers. What has no bias stays as it is */
export async function correctBiases(
  model: Model,
  layers: readonly Node[],
  { scales, largest }: { readonly scales: ReadonlyMap<Node, ActivationScale>; readonly largest: number },
  measuredOn: MeasuredOn,
): Promise<Model> {
  const builder = new GraphBuilder()
  const { mapped } = rewriteInto(builder, { ...model.graph, outputs: new Map() })
  const weights: Weights = new Map(model.weights)
  const minusOne = builder.constant(-1)
  const corrected = layers.filter(({ inputs: [, , bias] }) => bias !== undefined)
  for (const layer of corrected) {
    const sums = beforeActivation(layer)
    const [x] = sums.inputs
    const scale = scales.get(sourceOf(x).node)!
    const y = builder.emit(opDefinition(sums.op), sums.inputs.map(mapped), sums.attrs)
    const { outputs, state } = emitIntegerLayer(builder, sums, [roundedActivation(builder, mapped(x), scale)], {
      ...{ weights: model.weights, scale, largest, suffix: SUFFIX },
    })
    for (const [name, values] of state) weights.set(name, values)
    const lost = builder.emit(add, [y, builder.emit(multiply, [outputs[0], minusOne], {})], {})
    const axes = y.type.shape.slice(1).map((_, axis) => axis)
    builder.output(layer.name, builder.emit(reduceMean, [lost], { axes, keepDims: false }))
  }
  const sums = new Map(corrected.map(({ name, outputs: [{ shape }] }) => [name, new Float64Array(shape.at(-1)!)]))
  const graph = setBatchSize(builder.build(), measuredOn.batchSize)
  const batches = await overBatches(graph, { ...model, weights }, measuredOn, found => {
    for (const [name, sum] of sums) for (let c = 0; c < sum.length; c++) sum[c] += found[name][c]
  })
  const biases = corrected.map(({ name, inputs: [, , bias] }) => {
    const sum = sums.get(name)!
    const values = model.weights.get(bias.node.name)!
    return [bias.node.name, Float32Array.from(values, (b, c) => b + sum[c] / batches)] as const
  })
  return { ...model, weights: new Map([...model.weights, ...biases]) }
}

/** What a layer adds up, without the residual and activation behind. */
function beforeActivation(layer: Node): Node {
  const { activation: _, ...attrs } = layer.attrs as FusedConv2dAttributes
  return { ...layer, inputs: layer.inputs.slice(0, 3), attrs }
}
