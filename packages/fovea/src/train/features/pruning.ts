/**
 * @file Weights that are 0 while a network trains: a mask for each parameter, by which it is multiplied after each update, so
 * whatever the optimizer, and never in the network itself. More and more go, by a schedule, or those that are 0 stay so.
 */

import { chooseWeights, type Pattern, patterns, type ScoredWeights } from '../../compress/choose-weights.js'
import { connectionNodes, masked } from '../../compress/connections.js'
import { type PruningScope, scopes } from '../../compress/scope.js'
import type { Program } from '../../engines/engine.js'
import { SettingError } from '../../errors.js'
import { type Graph, slotOwner, stateNodes } from '../../graph/graph.js'
import { type Shape, sameShape } from '../../graph/types.js'
import type { Weights } from '../../models/model.js'
import { add } from '../../ops/add.js'
import { multiply } from '../../ops/multiply.js'
import { type ValueOf, type VariantRows, variants } from '../../settings/group.js'
import { choice, number, whole } from '../../settings/kinds.js'
import { within } from '../../settings/setting.js'
import { type StepBuilder, type StepMoment, stepsBefore } from '../step-builder.js'
import type { ParameterGradient } from './gradient.js'
import { type GradientScale, holdBack } from './gradient-scale.js'

/** What decides which weights go while a network trains. */
export const gradualCriteria = ['magnitude', 'movement', 'taylor'] as const
/**
 * One of `gradualCriteria`: `magnitude` the size of a weight; `movement` how far training has moved it away from 0, to first
 * order (Sanh et al. 2020, arXiv 2005.07683, section 3); `taylor` the squares of what the loss changes by, to first order, when it
 * becomes 0, since more went last (Molchanov et al. 2019).
 */
export type GradualCriterion = (typeof gradualCriteria)[number]

/** Which weights of convolutions and matrices are 0. */
export type Pruning =
  /** Those that are 0 when the run begins stay 0. */
  | { readonly type: 'kept' }
  /**
   * More and more, by the cubic schedule of Zhu and Gupta 2017 (arXiv 1710.01878), section 3: after a part p of the way from `from` to
   * `until`, the share `amount · (1 − (1 − p)³)`. What is 0 stays 0.
   */
  | {
      readonly type: 'gradual'
      /** The share in the end, between 0 and 1; not beside a pattern that says it. */
      readonly amount?: number
      /** Default `magnitude`. */
      readonly importance?: GradualCriterion
      /** Default `global`. */
      readonly scope?: PruningScope
      /** Default `any`. */
      readonly pattern?: Pattern
      /** Parts of the run. Defaults 0 and 0.75: what is left has a quarter of it to recover. */
      readonly from?: number
      readonly until?: number
      /** How often more go, at most. Default 50. */
      readonly times?: number
    }

/** The table of `Pruning`. */
export const pruningSetting = variants('which weights are 0', {
  kept: {},
  gradual: {
    amount: number('the share that is 0 in the end', { above: 0, below: 1 }).optional(),
    importance: choice('what decides which weights go', gradualCriteria).default('magnitude'),
    scope: choice('whether layers are weighed against each other', scopes).default('global'),
    pattern: choice('where in a layer weights go', patterns).default('any'),
    from: number('the part of the run after which the first go', { from: 0, below: 1 }).default(0),
    until: number('the part of the run after which the last go', { above: 0, to: 1 }).default(0.75),
    times: whole('how often more go, at most', { from: 1 }).default(50),
  },
} satisfies VariantRows<Pruning>).refine((pruning, path) => {
  if (pruning.type === 'kept') return
  const { amount, pattern, from, until } = pruning
  if (amount === undefined && pattern === 'any') {
    throw new SettingError(within(path, 'amount'), 'missing; expected a number above 0 and below 1')
  }
  if (amount !== undefined && pattern !== 'any') {
    throw new SettingError(within(path, 'amount'), `a pattern of ${pattern} says it: leave it out`)
  }
  if (until <= from) throw new SettingError(within(path, 'until'), `expected more than ${from}, from which weights go`)
})

type SettledPruning = ValueOf<typeof pruningSetting>
type Gradual = Extract<SettledPruning, { readonly type: 'gradual' }>

const maskOf = (name: string): string => `${name}:mask`
/** Where what a criterion sums up lies. */
const scoresOf = (name: string): string => `${name}:scores`

/**
 * Adds the masks, in the slots `NAME:mask`, and what a criterion learns of the gradients, in `NAME:scores`. Stands behind the
 * optimizer and before averages, which are of what is left.
 */
export function maskWeights(
  builder: StepBuilder,
  gradients: readonly ParameterGradient[],
  pruning: SettledPruning,
  { scale, counts }: GradientScale,
): void {
  for (const { parameter, gradient } of gradients) {
    const { name } = parameter.node
    const { shape } = parameter.type
    const next = builder.nextOf(parameter)
    if (next === undefined || shape.length < 2) continue
    const mask = builder.buffer(maskOf(name), shape, { type: 'ones' })
    builder.update(parameter, builder.emit(multiply, [next, mask], {}, `${name}.masked`))
    if (pruning.type === 'kept' || pruning.importance === 'magnitude') continue
    const scores = builder.buffer(scoresOf(name), shape, { type: 'zeros' })
    const plain = builder.emit(multiply, [parameter, gradient], {}, `${name}.change`)
    const change = builder.emit(multiply, [plain, scale], {}, `${name}.scaledChange`)
    const isMovement = pruning.importance === 'movement'
    const score = builder.emit(multiply, [change, isMovement ? builder.constant(-1) : change], {}, `${name}.score`)
    builder.update(scores, builder.emit(add, [scores, score], {}, `${name}.scores`))
    if (counts) holdBack(builder, [scores], counts)
  }
}

/** The masks of a compiled step: what they are when a run begins, and when more weights go. */
export class Masks {
  readonly #layers: readonly { readonly name: string; readonly shape: Shape; readonly slots: readonly string[] }[]

  /** @param graph of the step, with the masks that `maskWeights` has added */
  constructor(
    readonly pruning: SettledPruning,
    graph: Graph,
  ) {
    const states = stateNodes(graph)
    const names = new Set(states.map(({ name }) => name))
    this.#layers = connectionNodes(graph).flatMap(({ name, outputs: [{ shape }] }) => {
      if (!names.has(maskOf(name))) return []
      const own = states.filter(state => slotOwner(state.name) === name && sameShape(state.outputs[0].shape, shape))
      const slots = own.map(state => state.name).filter(slot => slot !== maskOf(name) && slot !== scoresOf(name))
      return [{ name, shape, slots }]
    })
  }

  /** Of a run that begins, and has no masks among its slots: what is 0 stays 0. */
  async begin(program: Program, weights: Weights, slots?: Weights): Promise<void> {
    for (const { name } of this.#layers) {
      if (slots?.has(maskOf(name))) continue
      const values = weights.get(name)!
      await program.write(
        maskOf(name),
        Float32Array.from(values, value => (value === 0 ? 0 : 1)),
      )
    }
  }

  /** Before a step: lets more weights go if it is time. */
  async advance(program: Program, moment: Pick<StepMoment, 'epoch' | 'step' | 'steps' | 'epochs'>): Promise<void> {
    const { pruning } = this
    if (pruning.type === 'kept') return
    const amount = amountAt(pruning, stepsBefore(moment), moment.epochs * moment.steps)
    if (amount === undefined || amount === 0) return
    const { importance, scope, pattern } = pruning
    const masks = new Map<string, ArrayLike<number>>()
    const scored: ScoredWeights[] = []
    for (const { name, shape } of this.#layers) {
      const mask = await program.read(maskOf(name))
      const read = await program.read(importance === 'magnitude' ? name : scoresOf(name))
      const scores = Float64Array.from(read, (value, i) => {
        if (mask[i] === 0) return Number.NEGATIVE_INFINITY
        return importance === 'magnitude' ? Math.abs(value) : value
      })
      masks.set(name, mask)
      scored.push({ name, shape, scores })
    }
    const chosen = chooseWeights(scored, { amount, scope, pattern })
    for (const { name, slots } of this.#layers) {
      const before = masks.get(name)!
      const mask = Float32Array.from(chosen.get(name)!, (stays, i) => (before[i] === 0 ? 0 : stays))
      await program.write(maskOf(name), mask)
      // What an optimizer or an average remembers of a weight would bring it back.
      for (const state of [name, ...slots]) await program.write(state, masked(await program.read(state), mask))
      if (importance === 'taylor') await program.write(scoresOf(name), new Float32Array(mask.length))
    }
  }
}

/**
 * The share of the weights that is 0 from a step on; undefined where it stays as it was.
 * @param done steps of the run before this one, of `total`
 */
export function amountAt(
  { amount = 0.5, from, until, times }: Pick<Gradual, 'amount' | 'from' | 'until' | 'times'>,
  done: number,
  total: number,
): number | undefined {
  const first = Math.floor(from * total)
  const last = Math.max(first, Math.min(total - 1, Math.floor(until * total)))
  const every = Math.max(1, Math.ceil((last - first) / times))
  if (done < first || done > last || (done < last && (done - first) % every !== 0)) return undefined
  return amount * (1 - (last === first ? 0 : (last - done) / (last - first)) ** 3)
}
