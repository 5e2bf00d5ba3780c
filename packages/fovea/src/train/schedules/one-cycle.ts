/**
 * @file One cycle: up to the peak, then down to almost nothing, each along half a cosine. Smith 2018 (arXiv 1803.09820),
 * in the form of PyTorch's `OneCycleLR`.
 */
import { anneal } from './cosine.js'

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

export function oneCycleRate(schedule: OneCycleSchedule, step: number, steps: number): number {
  const { peak, warmup = 0.2, startDivisor = 10, endDivisor = 10_000 } = schedule
  const top = Math.max(0, warmup * steps - 1) // the step of the peak, as PyTorch places it
  if (step < top) return anneal(peak / startDivisor, peak, step / top)
  return anneal(peak, peak / endDivisor, (step - top) / Math.max(1, steps - 1 - top))
}
