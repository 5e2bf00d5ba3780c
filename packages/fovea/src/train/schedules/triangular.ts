/** @file Up and down in two straight lines. Smith 2017 (arXiv 1506.01186), one cycle of it; Jordan 2024 (arXiv 2404.00498). */
export interface TriangularSchedule {
  readonly type: 'triangular'
  readonly peak: number
  /** Part of the run that climbs. */
  readonly warmup: number
  /** The first rate and the rate after the last step, as parts of the peak. */
  readonly start: number
  readonly end: number
}

export function triangularRate({ peak, warmup, start, end }: TriangularSchedule, step: number, steps: number): number {
  const top = Math.floor(warmup * steps)
  const along = (from: number, to: number, fraction: number): number => peak * (from + (to - from) * fraction)
  return step < top ? along(start, 1, step / top) : along(1, end, (step - top) / (steps - top))
}
