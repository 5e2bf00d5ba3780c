/** @file How much `fovea compress` removes: the amounts that there are, and which of them meets the targets, by measuring. */
import { bisect } from '../bisect.js'
import type { Sizes, Target } from './targets.js'
import { missedSizes } from './targets.js'

/** Amounts of multiply-adds are multiples of it, and at most MOST. */
const STEP = 0.02
const MOST = 0.9

/** What to remove. @param prunable the part that can be */
export const amountsUpTo = (prunable: number): number[] =>
  Array.from({ length: 1 + Math.floor(Math.min(MOST, prunable) / STEP + 1e-9) }, (_, i) =>
    Number((i * STEP).toFixed(2)),
  )

/** At most so many amounts are trained to find one that keeps its accuracy. */
const MOST_TRAINED = 5

export interface SizeSearch {
  readonly targets: readonly Target[]
  /** Of the untrained model with this amount removed. */
  readonly measure: (amount: number) => Promise<Sizes>
  /** Whether a model without pruning is another one than the original. */
  readonly integers: boolean
}

/** The smallest amount whose model meets the targets of size; undefined if not even the largest does. */
export async function smallestThatFits(
  amounts: readonly number[],
  { targets, measure, integers }: SizeSearch,
): Promise<number | undefined> {
  const fits = async (i: number): Promise<boolean> => missedSizes(targets, await measure(amounts[i])).length === 0
  if (integers && (await fits(0))) return 0
  const last = amounts.length - 1
  if (last === 0 || !(await fits(last))) return undefined
  return amounts[await bisect({ good: last, bad: 0 }, fits)]
}

/** The largest amount that is found to keep within a loss, of a few that are tried; undefined where all lose too much. */
export async function largestThatKeeps(
  amounts: readonly number[],
  keeps: (amount: number) => Promise<boolean>,
): Promise<number | undefined> {
  const none = await keeps(amounts[0])
  const found = await bisect({ good: 0, bad: amounts.length }, i => keeps(amounts[i]), MOST_TRAINED)
  return found === 0 && !none ? undefined : amounts[found]
}
