/** @file Learning-rate schedules by name; each is a pure function of the step, so a resumed run needs no state. */
import { InvalidArgumentError } from '../../errors.js'
import { type ValueOf, type VariantRows, variants } from '../../settings/group.js'
import { whole } from '../../settings/kinds.js'
import { type ConstantSchedule, constantSettings } from './constant.js'
import { type CosineSchedule, cosineRate, cosineSettings } from './cosine.js'
import { type ExponentialSchedule, exponentialRate, exponentialSettings } from './exponential.js'
import { type OneCycleSchedule, oneCycleRate, oneCycleSettings } from './one-cycle.js'
import { type StepSchedule, stepRate, stepSettings } from './step.js'
import { type TriangularSchedule, triangularRate, triangularSettings } from './triangular.js'

/** Any schedule may climb linearly from nothing over its first `warmupSteps` (Goyal et al. 2017, arXiv 1706.02677). */
export type ScheduleOptions = (
  | ConstantSchedule
  | StepSchedule
  | CosineSchedule
  | ExponentialSchedule
  | OneCycleSchedule
  | TriangularSchedule
) & { readonly warmupSteps?: number }

const ofAll = { warmupSteps: whole('in which the rate climbs from nothing', { from: 0 }).default(0) }

/** How the learning rate changes over the run. */
export const scheduleSetting = variants('how the learning rate changes over the run', {
  constant: { ...constantSettings, ...ofAll },
  step: { ...stepSettings, ...ofAll },
  cosine: { ...cosineSettings, ...ofAll },
  exponential: { ...exponentialSettings, ...ofAll },
  'one-cycle': { ...oneCycleSettings, ...ofAll },
  triangular: { ...triangularSettings, ...ofAll },
} satisfies VariantRows<ScheduleOptions>)

/** A schedule with all that has a default. */
export type Schedule = ValueOf<typeof scheduleSetting>

const counts = { step: whole('from 0 on', { from: 0 }), steps: whole('of the run', { from: 1 }) }

/**
 * The learning rate of a step.
 * @param step from 0
 * @param steps of the whole run
 * @param epochSteps of an epoch, for schedules that count epochs. Default: the run is one epoch
 * @throws InvalidArgumentError for an unknown schedule or a rate that is no positive number
 */
export function learningRateAt(schedule: ScheduleOptions, step: number, steps: number, epochSteps = steps): number {
  counts.step.parse(step, 'step')
  counts.steps.parse(steps, 'steps')
  counts.steps.parse(epochSteps, 'epochSteps')
  return rateAt(scheduleSetting.parse(schedule, 'schedule'), step, steps, epochSteps)
}

/** The same of a schedule that has been read. */
export function rateAt(schedule: Schedule, step: number, steps: number, epochSteps: number): number {
  const rate = rateOf(schedule, step, steps, epochSteps)
  if (!(rate >= 0 && rate < Number.POSITIVE_INFINITY)) {
    throw new InvalidArgumentError(`the ${schedule.type} schedule gives a learning rate of ${rate} at step ${step}`)
  }
  const { warmupSteps } = schedule
  return step < warmupSteps ? (rate * (step + 1)) / warmupSteps : rate
}

/** The highest rate that the schedule reaches. */
export function peakRate(schedule: ScheduleOptions): number {
  const settled = scheduleSetting.parse(schedule, 'schedule')
  return 'peak' in settled ? settled.peak : settled.rate
}

/** The same schedule with another highest rate. */
export const withPeakRate = (schedule: ScheduleOptions, rate: number): ScheduleOptions =>
  'peak' in schedule ? { ...schedule, peak: rate } : { ...schedule, rate }

function rateOf(schedule: Schedule, step: number, steps: number, epochSteps: number): number {
  switch (schedule.type) {
    case 'constant':
      return schedule.rate
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
  }
}
