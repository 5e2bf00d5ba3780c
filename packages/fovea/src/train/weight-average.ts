/**
 * @file Averages of the weights over the steps, beside the weights: a moving average that is evaluated in their place, or
 * lookahead's slow weights, to which the weights go back every few steps. Both are nodes of the training graph, driven by
 * two numbers that are fed.
 */
import type { Value } from '../graph/graph.js'
import type { Weights } from '../models/model.js'
import type { GraphBuilder } from '../ops/builder.js'
import { lerp } from '../ops/lerp.js'
import { multiply } from '../ops/multiply.js'
import { type VariantRows, variants } from '../settings/group.js'
import { number, whole } from '../settings/kinds.js'

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

/**
 * Adds to each state that has a next value the update of its average, which lies in the slot `NAME:average`.
 * @param counts a scalar, 0 where the step does not count; where there is none, each does
 */
export function averageStates(
  builder: GraphBuilder,
  states: readonly Value[],
  average: WeightAverage,
  counts?: Value,
): void {
  const fed = (name: string): Value => {
    const value = builder.input(name, [])
    return counts ? builder.emit(multiply, [value, counts], {}, `${name}.counting`) : value
  }
  const weight = fed('averageWeight')
  const back = average.type === 'lookahead' ? fed('averageBack') : undefined
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
 * What the average is fed at a step.
 * @param step from 1
 * @param steps of the whole run
 * @param skipped steps before this one, of which the average has seen nothing
 */
export function averageFeeds(
  average: WeightAverage,
  step: number,
  steps: number,
  skipped = 0,
): Readonly<Record<string, number>> {
  const good = step - skipped
  // The first time the slot takes the weights as they are: it starts empty.
  if (average.type === 'moving') {
    return { averageWeight: good === 1 ? 1 : 1 - Math.min(average.decay, (1 + good) / (10 + good)) }
  }
  const { every, decay, power } = average
  const isTurn = good % every === 0
  const isLast = step === steps
  const isFirst = good === every || (isLast && good < every)
  const averageWeight = isFirst ? 1 : isTurn ? 1 - decay * (step / steps) ** power : 0
  return { averageWeight, averageBack: isTurn || isLast ? 1 : 0 }
}

/** The weights to be evaluated and kept: the moving averages where there are any. */
export function averagedWeights(weights: Weights, slots: Weights, average: WeightAverage | undefined): Weights {
  if (average?.type !== 'moving') return weights
  return new Map([...weights].map(([name, values]) => [name, slots.get(slotOf(name)) ?? values]))
}
