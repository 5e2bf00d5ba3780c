/** @file Half a cosine from the rate to `end`, without restarts. Loshchilov and Hutter 2016 (arXiv 1608.03983), equation 5. */
import type { Rows, Settled } from '../../settings/group.js'
import { number } from '../../settings/kinds.js'
import { rateSetting } from './rate.js'

export interface CosineSchedule {
  readonly type: 'cosine'
  readonly rate: number
  /** Default 0. */
  readonly end?: number
}

/** The table of `CosineSchedule`. */
export const cosineSettings = {
  rate: rateSetting,
  end: number('the last rate', { from: 0 }).default(0),
} satisfies Rows<Omit<CosineSchedule, 'type'>>

/** From `from` at fraction 0 to `to` at fraction 1 along half a cosine. */
export const anneal = (from: number, to: number, fraction: number): number =>
  to + ((from - to) / 2) * (1 + Math.cos(Math.PI * fraction))

export const cosineRate = ({ rate, end }: Settled<typeof cosineSettings>, step: number, steps: number): number =>
  anneal(rate, end, step / steps)
