/**
 * @file Bias correction (Nagel et al. 2019, arXiv 1906.04721, section 4.2): rounding moves the mean of a layer's results, by
 * channel; its bias takes that back. Measured on images, for each layer by itself.
 */
import type { Node } from '../graph/graph.js'
import type { Model } from '../models/model.js'
import type { FusedConv2dAttributes } from '../ops/conv2d.js'
import { reduceMean } from '../ops/reduce-mean.js'
import { besideIntegers, type Rounding } from './beside-integers.js'
import type { MeasuredOn } from './over-batches.js'

/** @param layers those that are to compute in integers. What has no bias stays as it is */
export async function correctBiases(
  model: Model,
  layers: readonly Node[],
  rounding: Rounding,
  measuredOn: MeasuredOn,
): Promise<Model> {
  const corrected = layers.filter(({ inputs: [, , bias] }) => bias !== undefined)
  const sums = corrected.map(({ outputs: [{ shape }] }) => new Float64Array(shape.at(-1)!))
  const batches = await besideIntegers(model, corrected.map(beforeActivation), rounding, measuredOn, {
    summarize: ({ builder, lost }) => {
      const axes = lost.type.shape.slice(1).map((_, axis) => axis)
      return { mean: builder.emit(reduceMean, [lost], { axes, keepDims: false }) }
    },
    visit: found =>
      sums.forEach((sum, place) => {
        const mean = found(place, 'mean')
        for (let c = 0; c < sum.length; c++) sum[c] += mean[c]
      }),
  })
  const biases = corrected.map(({ inputs: [, , { node }] }, place) => {
    const values = model.weights.get(node.name)!
    return [node.name, Float32Array.from(values, (b, c) => b + sums[place][c] / batches)] as const
  })
  return { ...model, weights: new Map([...model.weights, ...biases]) }
}

/** What a layer adds up, without the residual and activation behind. */
function beforeActivation(layer: Node): Node {
  const { activation: _, ...attrs } = layer.attrs as FusedConv2dAttributes
  return { ...layer, inputs: layer.inputs.slice(0, 3), attrs }
}
