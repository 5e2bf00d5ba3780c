/**
 * @file One cycle: up to the peak, then down to almost nothing, each along half a cosine. Smith 2018 (arXiv 1803.09820),
 * in the form of PyTorch's `OneCycleLR`.
 */
import type { Rows, Settled } from '../../settings/group.js'
import { number } from '../../settings/kinds.js'
import { anneal } from './cosine.js'
import { rateSetting } from './rate.js'

export interface OneCycleSchedule {
  readonly type: 'one-cycle'
  readonly peak: number
  /** Part of the run that climbs. Default 0.2. */
  readonly warmup?: number
  /** The first rate is peak / this. Default 10. */
  readonly startDivisor?: number
  /** The last rate is peak / this. Default 10,000. */
  readonly endDivisor?: number
}

/** The table of `OneCycleSchedule`. */
export const oneCycleSettings = {
  peak: rateSetting,
  warmup: number('part of the run that climbs', { from: 0, to: 1 }).default(0.2),
  startDivisor: number('the first rate is peak / this', { above: 0 }).default(10),
  endDivisor: number('the last rate is peak / this', { above: 0 }).default(10_000),
} satisfies Rows<Omit<OneCycleSchedule, 'type'>>

export function oneCycleRate(schedule: Settled<typeof oneCycleSettings>, step: number, steps: number): number {
  const { peak, warmup, startDivisor, endDivisor } = schedule
  const top = Math.max(0, warmup * steps - 1) // the step of the peak, as PyTorch places it
  if (step < top) return anneal(peak / startDivisor, peak, step / top)
  return anneal(peak, peak / endDivisor, (step - top) / Math.max(1, steps - 1 - top))
}
