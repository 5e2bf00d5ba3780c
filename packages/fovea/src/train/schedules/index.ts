/** @file Learning-rate schedules by name; each is a pure function of the step, so a resumed run needs no state. */
import { InvalidArgumentError, unknownName } from '../../errors.js'
import { type ConstantSchedule, constantRate } from './constant.js'
import { type CosineSchedule, cosineRate } from './cosine.js'
import { type ExponentialSchedule, exponentialRate } from './exponential.js'
import { type OneCycleSchedule, oneCycleRate } from './one-cycle.js'
import { type StepSchedule, stepRate } from './step.js'
import { type TriangularSchedule, triangularRate } from './triangular.js'

/** Any schedule may climb linearly from nothing over its first `warmupSteps` (Goyal et al. 2017, arXiv 1706.02677). */
export type ScheduleOptions = (
  | ConstantSchedule
  | StepSchedule
  | CosineSchedule
  | ExponentialSchedule
  | OneCycleSchedule
  | TriangularSchedule
) & { readonly warmupSteps?: number }
export const scheduleNames = ['constant', 'step', 'cosine', 'exponential', 'one-cycle', 'triangular'] as const

/**
 * The learning rate of a step.
 * @param step from 0
 * @param steps of the whole run
 * @param epochSteps of an epoch, for schedules that count epochs. Default: the run is one epoch
 * @throws InvalidArgumentError for an unknown schedule or a rate that is no positive number
 */
export function learningRateAt(schedule: ScheduleOptions, step: number, steps: number, epochSteps = steps): number {
  const rate = rateOf(schedule, step, steps, epochSteps)
  if (!(rate >= 0 && rate < Number.POSITIVE_INFINITY)) {
    throw new InvalidArgumentError(`the ${schedule.type} schedule gives a learning rate of ${rate} at step ${step}`)
  }
  const { warmupSteps = 0 } = schedule
  return step < warmupSteps ? (rate * (step + 1)) / warmupSteps : rate
}

/** The highest rate that the schedule reaches. */
export const peakRate = (schedule: ScheduleOptions): number => ('peak' in schedule ? schedule.peak : schedule.rate)

/** The same schedule with another highest rate. */
export const withPeakRate = (schedule: ScheduleOptions, rate: number): ScheduleOptions =>
  'peak' in schedule ? { ...schedule, peak: rate } : { ...schedule, rate }

function rateOf(schedule: ScheduleOptions, step: number, steps: number, epochSteps: number): number {
  switch (schedule.type) {
    case 'constant':
      return constantRate(schedule)
    case 'step':
      return stepRate(schedule, step, steps)
    case 'cosine':
      return cosineRate(schedule, step, steps)
    case 'exponential':
      return exponentialRate(schedule, (step + 1) / epochSteps)
    case 'one-cycle':
      return oneCycleRate(schedule, step, steps)
    case 'triangular':
      return triangularRate(schedule, step, steps)
    default:
      throw unknownName('schedule', String((schedule as { type: unknown }).type), scheduleNames)
  }
}
