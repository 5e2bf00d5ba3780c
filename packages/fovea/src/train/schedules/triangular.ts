/** @file Up and down in two straight lines. Smith 2017 (arXiv 1506.01186), one cycle of it; Jordan 2024 (arXiv 2404.00498). */
import type { Rows } from '../../settings/group.js'
import { number } from '../../settings/kinds.js'
import { rateSetting } from './rate.js'

export interface TriangularSchedule {
  readonly type: 'triangular'
  readonly peak: number
  /** Part of the run that climbs. */
  readonly warmup: number
  /** The first rate and the rate after the last step, as parts of the peak. */
  readonly start: number
  readonly end: number
}

/** The table of `TriangularSchedule`. */
export const triangularSettings = {
  peak: rateSetting,
  warmup: number('part of the run that climbs', { from: 0, to: 1 }),
  start: number('the first rate, as a part of the peak', { from: 0 }),
  end: number('the rate after the last step, as a part of the peak', { from: 0 }),
} satisfies Rows<Omit<TriangularSchedule, 'type'>>

export function triangularRate({ peak, warmup, start, end }: TriangularSchedule, step: number, steps: number): number {
  const top = Math.floor(warmup * steps)
  const along = (from: number, to: number, fraction: number): number => peak * (from + (to - from) * fraction)
  return step < top ? along(start, 1, step / top) : along(1, end, (step - top) / (steps - top))
}
