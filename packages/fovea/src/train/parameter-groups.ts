/**
 * @file Parameters that train otherwise than the rest: with another rate, another decay, only in some epochs, or not at
 * all. Groups are found by patterns over names, so they are plain data.
 */
import { InvalidArgumentError } from '../errors.js'
import { matches } from '../graph/patterns.js'

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

/** The place of a parameter's group in the list, or -1. */
export const groupOf = (groups: readonly ParameterGroup[], name: string): number =>
  groups.findIndex(({ match }) => matches(match, name))

/** Whether the group's rate is another than the schedule's, at some time. */
export const hasOwnRate = ({ rate = 1, from = 0, until }: ParameterGroup): boolean =>
  rate !== 1 || from > 0 || until !== undefined

/** The factor of the schedule's rate in an epoch, counted from 0. */
export const rateIn = (
  { rate = 1, from = 0, until = Number.POSITIVE_INFINITY }: ParameterGroup,
  epoch: number,
): number => (epoch >= from && epoch < until ? rate : 0)

/**
 * @param names of the model's parameters
 * @throws InvalidArgumentError for a number that makes no sense, or a pattern that matches no parameter: it is misspelt
 */
export function checkGroups(groups: readonly ParameterGroup[], names: readonly string[]): void {
  for (const { match, rate = 1, weightDecay = 0, from = 0, until = from + 1 } of groups) {
    const fail = (message: string): never => {
      throw new InvalidArgumentError(`parameter group '${match}': ${message}`)
    }
    if (!(rate >= 0 && rate < Number.POSITIVE_INFINITY)) fail(`its rate must be a number of at least 0, got ${rate}`)
    if (!(weightDecay >= 0)) fail(`its weightDecay must be a number of at least 0, got ${weightDecay}`)
    if (!(from >= 0 && until > from)) fail(`its epochs must be from 0 on and at least one, got ${from} to ${until}`)
    if (!names.some(name => matches(match, name))) {
      fail(`it matches no parameter of the model, whose names are like ${names.slice(0, 3).join(', ')}`)
    }
  }
  if (names.every(name => groups[groupOf(groups, name)]?.rate === 0)) {
    throw new InvalidArgumentError('all parameters are frozen (rate 0): there is nothing to train')
  }
}
