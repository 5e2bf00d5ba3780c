/**
 * @file What integers cost each layer by itself: how large its results are beside what rounding its weights and its inputs
 * changes of them, while all before it compute in float32. Layers with little are the first to be kept in float32.
 */
import type { Node, Value } from '../graph/graph.js'
import type { Model, Weights } from '../models/model.js'
import { add } from '../ops/add.js'
import { GraphBuilder } from '../ops/builder.js'
import { multiply } from '../ops/multiply.js'
import { productSum } from '../ops/product-sum.js'
import type { ActivationScale } from '../ops/quantization.js'
import { rewriteInto } from '../passes/rewrite.js'
import { setBatchSize } from '../passes/set-batch-size.js'
import { emitIntegerLayer, roundedActivation, sourceOf } from './integer-layers.js'
import { type MeasuredOn, overBatches } from './over-batches.js'

/** A second set of parameters stands beside those of the model. */
const SUFFIX = '.int8'

/**
 * @param layers those that are to compute in integers
 * @returns for each, ten times the logarithm of Σ y² / Σ (y − y')², in dB; none where nothing changes
 */
export async function signalToNoise(
  model: Model,
  layers: readonly Node[],
  { scales, largest }: { readonly scales: ReadonlyMap<Node, ActivationScale>; readonly largest: number },
  measuredOn: MeasuredOn,
): Promise<Map<Node, number>> {
  const builder = new GraphBuilder()
  const { mapped } = rewriteInto(builder, { ...model.graph, outputs: new Map() })
  const weights: Weights = new Map(model.weights)
  const minusOne = builder.constant(-1)
  layers.forEach((layer, i) => {
    const [x, , , residual] = layer.inputs
    const rounded = (value: Value): Value =>
      roundedActivation(builder, mapped(value), scales.get(sourceOf(value).node)!)
    const { outputs, state } = emitIntegerLayer(builder, layer, [x, ...(residual ? [residual] : [])].map(rounded), {
      ...{ weights: model.weights, scale: scales.get(sourceOf(x).node)!, largest },
      suffix: SUFFIX,
    })
    for (const [name, values] of state) weights.set(name, values)
    const [y] = layer.outputs.map((type, index) => mapped({ node: layer, index, type }))
    const noise = builder.emit(add, [y, builder.emit(multiply, [outputs[0], minusOne], {})], {})
    const axes = y.type.shape.map((_, axis) => axis)
    for (const [name, value] of Object.entries({ signal: y, noise })) {
      builder.output(`${i}.${name}`, builder.emit(productSum, [value, value], { axes, keepDims: false }))
    }
  })
  const sums = layers.map(() => ({ signal: 0, noise: 0 }))
  await overBatches(setBatchSize(builder.build(), measuredOn.batchSize), { ...model, weights }, measuredOn, found => {
    sums.forEach((sum, i) => {
      sum.signal += found[`${i}.signal`][0]
      sum.noise += found[`${i}.noise`][0]
    })
  })
  return new Map(
    layers.flatMap((layer, i) => {
      const { signal, noise } = sums[i]
      return noise > 0 ? [[layer, 10 * Math.log10(signal / noise)] as const] : []
    }),
  )
}
