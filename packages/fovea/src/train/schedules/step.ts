/** @file A rate that is multiplied at milestones: ResNet's paper divides it by 10 at half and three quarters of the run. */
import type { Rows, Settled } from '../../settings/group.js'
import { list, number } from '../../settings/kinds.js'
import { rateSetting } from './rate.js'

export interface StepSchedule {
  readonly type: 'step'
  readonly rate: number
  /** Fractions of the run at which the rate changes. */
  readonly milestones: readonly number[]
  /** Default 0.1. */
  readonly factor?: number
}

/** The table of `StepSchedule`. */
export const stepSettings = {
  rate: rateSetting,
  milestones: list('at which the rate changes', 'fractions of the run', number('of the run', { from: 0, to: 1 })),
  factor: number('by which it is multiplied there', { from: 0 }).default(0.1),
} satisfies Rows<Omit<StepSchedule, 'type'>>

export function stepRate(
  { rate, milestones, factor }: Settled<typeof stepSettings>,
  step: number,
  steps: number,
): number {
  return rate * factor ** milestones.filter(milestone => step >= milestone * steps).length
}
