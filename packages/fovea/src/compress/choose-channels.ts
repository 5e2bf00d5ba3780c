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

/**
 * The channels that go, for a share of them from 0 to 1: the larger the share, the more. Sets of which the criterion says
 * nothing stay whole; each other keeps `multipleOf` channels at least.
 */
export function chooseChannels({ sets }: ChannelGroups, choice: Choice): (share: number) => Set<number> {
  const { importance, scope, multipleOf } = choice
  const known = sets.filter(({ channels }) => channels.every(channel => importance.has(channel)))
  const sorted = known.map(({ channels }) => leastOf(channels, importance))
  const beside = new Map(sorted.flatMap(channels => besideMean(channels, importance)))
  const ranks = new Map(leastOf(sorted.flat(), beside).map((channel, rank) => [channel, rank]))
  return share => {
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
  }
}

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
