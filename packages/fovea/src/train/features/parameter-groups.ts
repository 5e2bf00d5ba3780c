/**
 * @file Parameters that train otherwise than the rest: with another rate, another decay, only in some epochs, or not at
 * all. Groups are found by patterns over names, so they are plain data.
 */
import { InvalidArgumentError, SettingError } from '../../errors.js'
import type { Value } from '../../graph/graph.js'
import { matches } from '../../graph/patterns.js'
import { group, type Rows, type ValueOf } from '../../settings/group.js'
import { number, text } from '../../settings/kinds.js'
import { within } from '../../settings/setting.js'
import type { StepBuilder } from '../step-builder.js'

/** The first group whose pattern matches a parameter's name counts for it. */
export interface ParameterGroup {
  /** A name, in which `*` stands for any characters: `layer1.*`, `*.norm?.bias` (`?`: any one). */
  readonly match: string
  /** Times the schedule's rate. 0: frozen, no gradient is computed. Default 1. */
  readonly rate?: number
  /** Instead of the optimizer's; holds for biases and norms too. */
  readonly weightDecay?: number
  /** Trained from this epoch on, counted from 0. Default 0. */
  readonly from?: number
  /** Trained until this epoch, exclusive. Default: the end. */
  readonly until?: number
}

/** The table of `ParameterGroup`. */
export const groupSetting = group('parameters that train otherwise', {
  match: text('a pattern over their names'),
  rate: number("times the schedule's", { from: 0 }).default(1),
  weightDecay: number("instead of the optimizer's", { from: 0 }).optional(),
  from: number('the epoch from which they train', { from: 0 }).default(0),
  until: number('the epoch until which they train, exclusive', { above: 0 }).optional(),
} satisfies Rows<ParameterGroup>).refine(({ from, until }, path) => {
  if (until !== undefined && until <= from) {
    throw new SettingError(
      within(path, 'until'),
      `expected an epoch after ${from}, from which they train, got ${until}`,
    )
  }
})

/** A group with all that has a default. */
export type SettledGroup = ValueOf<typeof groupSetting>

/** The place of a parameter's group in the list, or -1. */
const groupOf = (groups: readonly SettledGroup[], name: string): number =>
  groups.findIndex(({ match }) => matches(match, name))

/** The factor of the schedule's rate in an epoch, counted from 0. */
const rateIn = ({ rate, from, until = Number.POSITIVE_INFINITY }: SettledGroup, epoch: number): number =>
  epoch >= from && epoch < until ? rate : 0

/** How each parameter of a step trains. */
export class ParameterGroups {
  constructor(readonly groups: readonly SettledGroup[]) {}

  isFrozen(name: string): boolean {
    return this.groups[groupOf(this.groups, name)]?.rate === 0
  }

  /** The rate of a parameter, a scalar. Groups whose rate is never another than the schedule's share that. */
  learningRate(builder: StepBuilder, name: string): Value {
    const place = groupOf(this.groups, name)
    const group = this.groups[place]
    if (group === undefined || (group.rate === 1 && group.from === 0 && group.until === undefined)) {
      return builder.scalar('learningRate', ({ learningRate }) => learningRate)
    }
    return builder.scalar(`learningRate:${place}`, ({ learningRate, epoch }) => learningRate * rateIn(group, epoch))
  }

  /** The decay of a parameter instead of the optimizer's; undefined where it is that. */
  weightDecay(name: string): number | undefined {
    return this.groups[groupOf(this.groups, name)]?.weightDecay
  }
}

/**
 * @param names of the model's parameters
 * @throws SettingError for a pattern that matches none of them: it is misspelt
 */
export function checkMatch(match: string, names: readonly string[], path: string): void {
  if (names.some(name => matches(match, name))) return
  throw new SettingError(
    path,
    `'${match}' matches no parameter of the model, whose names are like ${names.slice(0, 3).join(', ')}`,
  )
}

/**
 * @param names of the model's parameters
 * @throws InvalidArgumentError for a pattern that matches none of them, or if all of them are frozen
 */
export function checkGroups(groups: readonly SettledGroup[], names: readonly string[]): void {
  for (const [i, { match }] of groups.entries()) checkMatch(match, names, `groups.${i}.match`)
  if (names.every(name => groups[groupOf(groups, name)]?.rate === 0)) {
    throw new InvalidArgumentError('all parameters are frozen (rate 0): there is nothing to train')
  }
}
