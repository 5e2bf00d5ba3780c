/** @file A rate that is multiplied at milestones: ResNet's paper divides it by 10 at half and three quarters of the run. */
export interface StepSchedule {
  readonly type: 'step'
  readonly rate: number
  /** Fractions of the run at which the rate changes. */
  readonly milestones: readonly number[]
  /** Default 0.1. */
  readonly factor?: number
}

export function stepRate({ rate, milestones, factor = 0.1 }: StepSchedule, step: number, steps: number): number {
  return rate * factor ** milestones.filter(milestone => step >= milestone * steps).length
}
