/** @file Which channels go: so many of each set, the least important first, until the amount that is asked for is gone. */
import type { ChannelGroups } from './channel-groups.js'
import type { Importance } from './importance.js'
import type { PruningScope } from './scope.js'

export interface Choice {
  readonly importance: Importance
  readonly scope: PruningScope
  /** Channels that are left of a set are a multiple of it, or all. */
  readonly multipleOf: number
}

export interface ChosenChannels {
  /** The channels that go, for a share of them from 0 to 1: the larger the share, the more. */
  readonly of: (share: number) => Set<number>
  /**
   * What of these may stay after all: for each set, `multipleOf` channels at a time. The most needed first, of the sets and of
   * the channels of each.
   */
  readonly mayStay: (out: ReadonlySet<number>) => readonly (readonly (readonly number[])[])[]
}

/** Sets of which the criterion says nothing stay whole; each other keeps `multipleOf` channels at least. */
export function chooseChannels({ sets }: ChannelGroups, choice: Choice): ChosenChannels {
  const { importance, scope, multipleOf } = choice
  const known = sets.filter(({ channels }) => channels.every(channel => importance.has(channel)))
  const sorted = known.map(({ channels }) => leastOf(channels, importance))
  const beside = new Map(sorted.flatMap(channels => besideMean(channels, importance)))
  const ranks = new Map(leastOf(sorted.flat(), beside).map((channel, rank) => [channel, rank]))
  return {
    of: share => {
      const limit = Math.round(share * ranks.size)
      return new Set(
        sorted.flatMap((channels, i) => {
          const size = channels.length
          const wanted =
            scope === 'uniform' ? size * (1 - share) : channels.filter(channel => ranks.get(channel)! >= limit).length
          // Sets of one size are not to shrink at once: each rounds at another place, in the mean at a half.
          const threshold = scope === 'uniform' ? ((i + 1) * GOLDEN_RATIO) % 1 : 1 / 2
          const left = Math.min(size, Math.max(1, Math.floor(wanted / multipleOf + threshold)) * multipleOf)
          return channels.slice(0, size - left)
        }),
      )
    },
    mayStay: out =>
      sorted
        .map(channels => channels.filter(channel => out.has(channel)).reverse())
        .filter(gone => gone.length > 0)
        .sort(([a], [b]) => ranks.get(b)! - ranks.get(a)!)
        .map(gone => multiplesOf(gone, multipleOf)),
  }
}

/** The same in groups of so many; what is left over, at the end: a set that is whole again need not be a multiple. */
const multiplesOf = (channels: readonly number[], count: number): number[][] =>
  Array.from({ length: Math.ceil(channels.length / count) }, (_, i) => channels.slice(i * count, (i + 1) * count))

/** Importance within a set, with a mean of 1: layers differ in size and scale, so that one would lose all (DepGraph, section 3.3). */
function besideMean(channels: readonly number[], importance: Importance): (readonly [number, number])[] {
  const mean = channels.reduce((sum, channel) => sum + importance.get(channel)!, 0) / channels.length
  return channels.map(channel => [channel, mean === 0 ? 1 : importance.get(channel)! / mean])
}

/** Multiples of it are spread evenly, however many there are (modulo 1). */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2

/** The least important first; of equals the later one. */
export const leastOf = (channels: readonly number[], importance: Importance): number[] =>
  [...channels].reverse().sort((a, b) => importance.get(a)! - importance.get(b)!)
