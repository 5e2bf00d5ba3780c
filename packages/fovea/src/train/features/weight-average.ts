/**
 * @file Averages of the weights over the steps, beside the weights: a moving average that is evaluated in their place, or
 * lookahead's slow weights, to which the weights go back every few steps. Both are nodes of the training graph, driven by
 * two numbers that are fed.
 */
import type { Value } from '../../graph/graph.js'
import type { Weights } from '../../models/model.js'
import { lerp } from '../../ops/lerp.js'
import { multiply } from '../../ops/multiply.js'
import { type VariantRows, variants } from '../../settings/group.js'
import { number, whole } from '../../settings/kinds.js'
import { type StepBuilder, type StepMoment, stepsBefore } from '../step-builder.js'

export type WeightAverage =
  /**
   * What is evaluated and kept: after each step, average += (1 − decay) · (weights − average). At step n the decay is at
   * most (1 + n)/(10 + n), so that a short run does not remember its start (TensorFlow's ExponentialMovingAverage).
   */
  | { readonly type: 'moving'; readonly decay: number }
  /**
   * Zhang et al. 2019 (arXiv 1907.08610) with the schedule of Jordan 2024 (arXiv 2404.00498): every so many steps the slow
   * weights move by 1 − decay · (step/steps)^power towards the weights, which then start again from them.
   */
  | { readonly type: 'lookahead'; readonly every: number; readonly decay: number; readonly power: number }

/** The table of `WeightAverage`. */
export const averageSetting = variants('of the weights, over the steps', {
  moving: { decay: number('how much of itself it keeps in a step', { from: 0, below: 1 }) },
  lookahead: {
    every: whole('steps between two turns', { from: 1 }),
    decay: number('how much the slow weights keep', { from: 0, below: 1 }),
    power: number('how that falls over the run', { from: 0 }),
  },
} satisfies VariantRows<WeightAverage>)

const slotOf = (name: string): string => `${name}:average`

/** An average of the weights: its part of the step, and the weights that it leaves. */
export class Averaging {
  constructor(readonly average: WeightAverage) {}

  /**
   * Adds to each state that has a next value the update of its average, which lies in the slot `NAME:average`.
   * @param counts a scalar, 0 where the step does not count; where there is none, each does
   */
  update(builder: StepBuilder, states: readonly Value[], counts?: Value): void {
    const at = (moment: StepMoment): AverageNumbers => {
      const { steps, epochs, lossScale } = moment
      return averageAt(this.average, stepsBefore(moment) + 1, epochs * steps, lossScale.skippedSteps)
    }
    const counting = (value: Value): Value =>
      counts ? builder.emit(multiply, [value, counts], {}, `${value.node.name}.counting`) : value
    const weight = counting(builder.scalar('averageWeight', moment => at(moment).weight))
    const goesBack = this.average.type === 'lookahead'
    const back = goesBack ? counting(builder.scalar('averageBack', moment => at(moment).back)) : undefined
    for (const state of states) {
      const next = builder.nextOf(state)
      if (next === undefined) continue
      const { name } = state.node
      const slow = builder.buffer(slotOf(name), state.type.shape, { type: 'zeros' })
      const slowNext = builder.emit(lerp, [slow, next, weight], {}, `${slotOf(name)}.next`)
      builder.update(slow, slowNext)
      if (back) builder.update(state, builder.emit(lerp, [next, slowNext, back], {}, `${name}.next`))
    }
  }

  /**
   * The weights to be evaluated and kept: the moving averages where there are any.
   * @param steps of the run that counted so far: before the first, the averages are empty
   */
  kept(weights: Weights, slots: Weights, steps: number): Weights {
    if (this.average.type !== 'moving' || steps === 0) return weights
    return new Map([...weights].map(([name, values]) => [name, slots.get(slotOf(name)) ?? values]))
  }
}

/** What drives an average: how far it moves towards the weights, and how far (0 or 1) these go back to it. */
export interface AverageNumbers {
  readonly weight: number
  readonly back: number
}

/**
 * The numbers of a step.
 * @param step from 1
 * @param steps of the whole run
 * @param skipped steps before this one, of which the average has seen nothing
 */
export function averageAt(average: WeightAverage, step: number, steps: number, skipped = 0): AverageNumbers {
  const good = step - skipped
  // The first time the slot takes the weights as they are: it starts empty.
  if (average.type === 'moving') {
    return { weight: good === 1 ? 1 : 1 - Math.min(average.decay, (1 + good) / (10 + good)), back: 0 }
  }
  const { every, decay, power } = average
  const isTurn = good % every === 0
  const isLast = step === steps
  const isFirst = good === every || (isLast && good < every)
  const weight = isFirst ? 1 : isTurn ? 1 - decay * (step / steps) ** power : 0
  return { weight, back: isTurn || isLast ? 1 : 0 }
}
