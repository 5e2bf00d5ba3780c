/** @file What integers themselves took, beside the same channels in float32: a compressed model as a whole may hide it. */
import { slowerIn, slowerText } from '../account/slower.js'
import { pointsOf } from '../account/table.js'
import type { TradeOffPoint } from '../account/trade-off.js'
import type { Compressed } from './compression.js'

/** Integers that lose more are told of, as a fraction. */
const TOLD = 0.005

/** Sentences for the account; none where integers are as fast, or there are none. */
export function aboutIntegers({
  targets,
  points,
  chosen,
}: Pick<Compressed, 'targets' | 'points' | 'chosen'>): string[] {
  const beside = points.find(({ amount, integers }) => amount === chosen.amount && !integers)
  if (!chosen.integers || beside === undefined) return []
  return [...slower(beside, chosen), ...(targets.some(({ kind }) => kind === 'accuracy') ? [] : lost(beside, chosen))]
}

/** Of the original in integers the account says it anyway. */
const slower = (beside: TradeOffPoint, chosen: TradeOffPoint): string[] =>
  chosen.amount > 0 && slowerIn(beside, chosen).length > 0
    ? [
        `integers are slower here than the same channels in float32 (${slowerText(beside, chosen)}): they are for the bytes.`,
      ]
    : []

function lost(beside: TradeOffPoint, chosen: TradeOffPoint): string[] {
  const change = chosen.accuracy - beside.accuracy
  if (change >= -TOLD) return []
  return [
    `integers by themselves: ${pointsOf(change)}. With accuracy in --target, such as 'accuracy>=-0.5', the layers that lose most stay float32.`,
  ]
}
