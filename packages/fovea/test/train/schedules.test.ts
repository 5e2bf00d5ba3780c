/** @file Learning rates by step, against PyTorch's `OneCycleLR` and formulas written out. */
import { describe, expect, test } from 'vitest'
import { learningRateAt, peakRate, type ScheduleOptions, withPeakRate } from '../../src/train/schedules/index.js'

const rates = (schedule: ScheduleOptions, steps: number): number[] =>
  Array.from({ length: steps }, (_, step) => learningRateAt(schedule, step, steps))

test("one-cycle is PyTorch's OneCycleLR(0.4, total_steps=20, pct_start=0.2, div_factor=10, final_div_factor=1000)", () => {
  const pytorch = [
    0.04, 0.13, 0.31, 0.4, 0.39615744037503803, 0.38477742891160716, 0.36629729306826303, 0.3414272141016858,
    0.31112293519926004, 0.27654903280437065, 0.2390341625967854, 0.20002000000000003, 0.16100583740321472,
    0.12349096719562937, 0.08891706480074, 0.05861278589831424, 0.033742706931736983, 0.015262571088392879,
    0.003882559624961979, 4e-5,
  ]
  const ours = rates({ type: 'one-cycle', peak: 0.4 }, 20)
  expect(ours).toEqual(pytorch.map(rate => expect.closeTo(rate, 12)))
})

test('one-cycle has a rate for every step of any run, however short', () => {
  for (let steps = 1; steps <= 30; steps++) {
    for (const rate of rates({ type: 'one-cycle', peak: 1 }, steps)) {
      expect(rate).toBeGreaterThan(0)
      expect(rate).toBeLessThanOrEqual(1)
    }
  }
})

test('step divides at the milestones', () => {
  expect(rates({ type: 'step', rate: 1, milestones: [0.5, 0.75] }, 8)).toEqual(
    [1, 1, 1, 1, 0.1, 0.1, 0.1 ** 2, 0.1 ** 2].map(rate => expect.closeTo(rate, 12)),
  )
})

test('cosine falls from the rate to the end along half a cosine', () => {
  const ours = rates({ type: 'cosine', rate: 2, end: 1 }, 4)
  expect(ours).toEqual([0, 1, 2, 3].map(step => expect.closeTo(1 + (1 + Math.cos((Math.PI * step) / 4)) / 2, 12)))
})

test('any schedule can climb linearly at first', () => {
  expect(rates({ type: 'constant', rate: 1, warmupSteps: 4 }, 6)).toEqual([0.25, 0.5, 0.75, 1, 1, 1])
})

describe('the peak', () => {
  test.each<ScheduleOptions>([
    { type: 'constant', rate: 0.1 },
    { type: 'step', rate: 0.1, milestones: [0.5] },
    { type: 'cosine', rate: 0.1 },
    { type: 'one-cycle', peak: 0.1 },
  ])('of $type is read and replaced', schedule => {
    expect(peakRate(schedule)).toBe(0.1)
    expect(peakRate(withPeakRate(schedule, 3))).toBe(3)
    expect(Math.max(...rates(withPeakRate(schedule, 3), 10))).toBe(3)
  })
})

test('what gives no rate is named', () => {
  expect(() => learningRateAt({ type: 'constant', rate: -1 }, 0, 1)).toThrow(
    'schedule.rate: expected a number of at least 0, got -1',
  )
  expect(() => learningRateAt({ type: 'onecycle' } as never, 0, 1)).toThrow(
    "schedule.type: unknown 'onecycle'; did you mean 'one-cycle'",
  )
})

test('triangular climbs and falls in straight lines', () => {
  const ours = rates({ type: 'triangular', peak: 10, warmup: 0.4, start: 0.2, end: 0.1 }, 10)
  const expected = [2, 4, 6, 8, 10, 8.5, 7, 5.5, 4, 2.5]
  expect(ours).toEqual(expected.map(rate => expect.closeTo(rate, 12)))
})

test('exponential climbs over the first epochs and falls every so many', () => {
  const schedule = { type: 'exponential', rate: 1, factor: 0.5, everyEpochs: 2, warmupEpochs: 1 } as const
  const ours = Array.from({ length: 10 }, (_, step) => learningRateAt(schedule, step, 10, 2))
  expect(ours).toEqual([0.5, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25].map(rate => expect.closeTo(rate, 12)))
})
