/**
 * @file What integers cost each layer by itself: how large its results are beside what rounding its weights and its inputs
 * changes of them. Layers with little are the first to be kept in float32.
 */
import type { Node, Value } from '../graph/graph.js'
import type { Model } from '../models/model.js'
import { productSum } from '../ops/product-sum.js'
import { besideIntegers, type Rounding } from './beside-integers.js'
import type { MeasuredOn } from './over-batches.js'

/**
 * @param layers those that are to compute in integers
 * @returns for each, ten times the logarithm of Σ y² / Σ (y − y')², in dB; none where nothing changes
 */
export async function signalToNoise(
  model: Model,
  layers: readonly Node[],
  rounding: Rounding,
  measuredOn: MeasuredOn,
): Promise<Map<Node, number>> {
  const sums = layers.map(() => ({ signal: 0, noise: 0 }))
  await besideIntegers(model, layers, rounding, measuredOn, {
    summarize: ({ builder, y, lost }) => {
      const axes = y.type.shape.map((_, axis) => axis)
      const squares = (of: Value): Value => builder.emit(productSum, [of, of], { axes, keepDims: false })
      return { signal: squares(y), noise: squares(lost) }
    },
    visit: found =>
      sums.forEach((sum, place) => {
        sum.signal += found(place, 'signal')[0]
        sum.noise += found(place, 'noise')[0]
      }),
  })
  return new Map(
    layers.flatMap((layer, i) => {
      const { signal, noise } = sums[i]
      return noise > 0 ? [[layer, 10 * Math.log10(signal / noise)] as const] : []
    }),
  )
}
