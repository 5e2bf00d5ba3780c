/** @file Weights as whole numbers, symmetric by output channel: a channel's largest becomes the largest that there is, or its negative. */
import type { HostArray } from '../graph/arrays.js'
import { integerWeight, weightScale } from '../ops/quantization.js'

/** Weights as integers, and for each output channel what 1 stands for. */
export interface IntegerWeights {
  readonly integers: Int8Array
  readonly scales: Float32Array
}

/** What the scales of weights are called that are kept in int8. */
export const scaleNameOf = (weight: string): string => `${weight}_scale`

/** The largest of 8 bits; the smallest is its negative, so that a weight and its negative are as near. */
const LARGEST = 127

/**
 * @param values [channels, …]
 * @param options `largest`: no integer lies beyond it or its negative; `leastScales`: for each channel
 */
export function integerWeights(
  values: HostArray,
  channels: number,
  { largest = LARGEST, leastScales }: { readonly largest?: number; readonly leastScales?: ArrayLike<number> } = {},
): IntegerWeights {
  const perChannel = values.length / channels
  const integers = new Int8Array(values.length)
  const scales = new Float32Array(channels)
  for (let c = 0; c < channels; c++) {
    const [first, end] = [c * perChannel, (c + 1) * perChannel]
    scales[c] = Math.max(weightScale(values.subarray(first, end), largest), leastScales?.[c] ?? 0)
    for (let i = first; i < end; i++) integers[i] = integerWeight(values[i], scales[c], largest)
  }
  return { integers, scales }
}
