/** @file A rate that is multiplied every so many epochs, after a linear warm-up: EfficientNet's (arXiv 1905.11946, section 5.2). */
import type { Rows, Settled } from '../../settings/group.js'
import { number } from '../../settings/kinds.js'
import { rateSetting } from './rate.js'

export interface ExponentialSchedule {
  readonly type: 'exponential'
  readonly rate: number
  readonly factor: number
  /** The rate changes at multiples of this many epochs. */
  readonly everyEpochs: number
  /** The first rates climb from nothing. Default 0. */
  readonly warmupEpochs?: number
}

/** The table of `ExponentialSchedule`. */
export const exponentialSettings = {
  rate: rateSetting,
  factor: number('by which the rate is multiplied', { above: 0 }),
  everyEpochs: number('how often', { above: 0 }),
  warmupEpochs: number('in which the first rates climb from nothing', { from: 0 }).default(0),
} satisfies Rows<Omit<ExponentialSchedule, 'type'>>

/** @param epochs since the start of the run, parts of one included */
export function exponentialRate(
  { rate, factor, everyEpochs, warmupEpochs }: Settled<typeof exponentialSettings>,
  epochs: number,
): number {
  const climbed = Math.min(1, epochs / warmupEpochs || 1)
  return climbed * rate * factor ** Math.floor(epochs / everyEpochs)
}
