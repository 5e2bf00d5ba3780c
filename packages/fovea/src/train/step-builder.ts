/**
 * @file Builds the graph of a training step. Beside nodes it takes the numbers that a step is fed (rates, a seed, what drives an
 * average): each is declared once, with its input and what it is at any moment of a run. They are pure functions of the
 * settings and the moment, so a resumed run is fed the same.
 */

import type { Graph, Value } from '../graph/graph.js'
import { GraphBuilder } from '../ops/builder.js'
import type { LossScaleState } from './training-state.js'

/** Where a run stands when it feeds a step, or one of the parts in which a step's batch is run. */
export interface StepMoment {
  /** Counted from 0, as `step` (of the epoch) and `part` (of the step) are. */
  readonly epoch: number
  readonly step: number
  readonly part: number
  /** Steps of an epoch. */
  readonly steps: number
  /** Of the whole run. */
  readonly epochs: number
  /** Of the run; of all that is random. */
  readonly seed: number
  /** What the schedule gives. */
  readonly learningRate: number
  /** Neither the optimizer nor an average counts the steps that were skipped. */
  readonly lossScale: LossScaleState
}

/** Steps of the run before this one. */
export const stepsBefore = ({ epoch, step, steps }: Pick<StepMoment, 'epoch' | 'step' | 'steps'>): number =>
  epoch * steps + step

/** The graph of a step, and what it is fed beside images and labels. */
export interface TrainingGraph extends Graph {
  /** A number for each scalar input. */
  feeds(moment: StepMoment): Readonly<Record<string, number>>
}

type NumberAt = (moment: StepMoment) => number

export class StepBuilder extends GraphBuilder {
  readonly #numbers = new Map<string, NumberAt>()
  readonly #scalars = new Map<string, Value>()

  /** The scalar input `name`, made when it is first asked for, and what it is fed. */
  scalar(name: string, at: NumberAt): Value {
    const value = this.#scalars.get(name) ?? this.input(name, [])
    this.#scalars.set(name, value)
    this.feed(name, at)
    return value
  }

  /** What an input that a pass has made is fed. */
  feed(name: string, at: NumberAt): void {
    this.#numbers.set(name, at)
  }

  /** What all of them are at a moment. */
  feedsAt(moment: StepMoment): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#numbers].map(([name, at]) => [name, at(moment)]))
  }
}
