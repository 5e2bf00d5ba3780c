/**
 * @file The numbers that a step is fed beside images and labels: rates, its own number, a seed, what drives the averages.
 * Each is a pure function of the settings and of epoch and step, so a resumed run feeds the same.
 */
import type { LossScaleState } from '../formats/checkpoint.js'
import { type Graph, inputNodes } from '../graph/graph.js'
import { randomBits, randomKey, streamOf } from '../random.js'
import { rateIn } from './parameter-groups.js'
import { rateAt } from './schedules/index.js'
import type { ResolvedSettings } from './settings-table.js'
import { rateInput } from './training-graph.js'
import { averageFeeds } from './weight-average.js'

export class StepFeeds {
  readonly #inputs: ReadonlySet<string>
  readonly #seedKey: number

  /**
   * @param graph the training graph: only what it asks for is fed
   * @param steps of an epoch
   */
  constructor(
    graph: Graph,
    readonly settings: ResolvedSettings,
    readonly steps: number,
    readonly epochs: number,
  ) {
    this.#inputs = new Set(inputNodes(graph).map(({ name }) => name))
    this.#seedKey = randomKey(settings.seed, streamOf('step'))
  }

  /**
   * For a part of a step of an epoch, all counted from 0. `learningRate` is always there.
   * @param lossScale as it is now. Neither the optimizer nor an average counts a skipped step
   * @param rate instead of the schedule's
   */
  at(
    { epoch, step, part }: { readonly epoch: number; readonly step: number; readonly part: number },
    { scale, skippedSteps }: LossScaleState,
    rate?: number,
  ): Readonly<Record<string, number>> & { readonly learningRate: number } {
    const { schedule, groups, average, accumulate } = this.settings
    const [done, total] = [epoch * this.steps + step, this.epochs * this.steps]
    const learningRate = rate ?? rateAt(schedule, done, total, this.steps)
    const all: Record<string, number> = {
      step: done + 1 - skippedSteps,
      seed: randomBits(this.#seedKey, done * accumulate + part) | 0,
      lossScale: scale,
      firstPart: part === 0 ? 1 : 0,
      lastPart: part === accumulate - 1 ? 1 : 0,
      ...(average && averageFeeds(average, done + 1, total, skippedSteps)),
    }
    for (const [place, group] of groups.entries()) all[rateInput(place)] = learningRate * rateIn(group, epoch)
    const asked = Object.entries(all).filter(([name]) => this.#inputs.has(name))
    return { ...Object.fromEntries(asked), learningRate }
  }
}
