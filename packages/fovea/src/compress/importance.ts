/**
 * @file How much a network needs each of its channels: from its weights alone, or from what the loss says of them. A
 * criterion gives each channel a number; what has the lowest is left out first.
 */
import { type Node, outputsOf, parameterNodes } from '../graph/graph.js'
import { elements } from '../graph/types.js'
import type { Weights } from '../models/model.js'
import { batchNorm } from '../ops/batch-norm.js'
import { randomAt, randomKey, streamOf } from '../random.js'
import type { ChannelGroups } from './channel-groups.js'

/** The importance of each channel, by its group; channels that a criterion says nothing of are not in it. */
export type Importance = ReadonlyMap<number, number>

/** What decides which channels go. */
export const criteria = ['l1', 'l2', 'batch-norm', 'taylor', 'random'] as const
/**
 * One of `criteria`: `l1` and `l2` are norms of the weights that make or read a channel, each beside the mean of its layer
 * (Li et al. 2017, normalized as in DepGraph, section 3.3, so that layers can be compared); `batch-norm` the size of a
 * norm's scales (Network Slimming, Liu et al. 2017); `taylor` the square of what the loss changes by, to first order, when
 * all of a channel's parameters become 0 (Molchanov et al. 2019); `random` what all others must beat.
 */
export type Criterion = (typeof criteria)[number]

/** By the norm of weights: of order 1 or 2. */
export function weightNorms(groups: ChannelGroups, weights: Weights, order: 1 | 2): Importance {
  const power = order === 1 ? Math.abs : (x: number) => x * x
  const root = order === 1 ? (x: number) => x : Math.sqrt
  const setOf = new Map(groups.sets.flatMap(set => set.channels.map(channel => [channel, set] as const)))
  const shares = new Means<number>()
  for (const node of parameterNodes(groups.graph)) {
    // Biases and scales of norms are no connections.
    if (node.outputs[0].shape.length < 2) continue
    for (const axis of node.outputs[0].shape.keys()) {
      const norms = sumsAlong(groups, node, axis, weights.get(node.name)!, power)
      const ofSet = new Means<unknown>()
      for (const [channel, sum] of norms) ofSet.add(setOf.get(channel), root(sum))
      const means = ofSet.all()
      for (const [channel, sum] of norms) {
        const mean = means.get(setOf.get(channel))!
        shares.add(channel, mean === 0 ? 0 : root(sum) / mean)
      }
    }
  }
  return shares.all()
}

/** By the scales of the norms behind a channel: the mean of their sizes. */
export function normScales(groups: ChannelGroups, weights: Weights): Importance {
  const scales = new Means<number>()
  for (const norm of groups.graph.nodes.filter(({ op }) => op === batchNorm.name)) {
    const { node } = norm.inputs[1]
    const values = weights.get(node.name)
    if (values === undefined) continue
    for (const [channel, size] of sumsAlong(groups, node, 0, values, Math.abs)) scales.add(channel, size)
  }
  return scales.all()
}

/** A mean for each key of what is added to it. */
class Means<K> {
  readonly #sums = new Map<K, { total: number; count: number }>()

  add(key: K, value: number): void {
    const { total, count } = this.#sums.get(key) ?? { total: 0, count: 0 }
    this.#sums.set(key, { total: total + value, count: count + 1 })
  }

  all(): Map<K, number> {
    return new Map([...this.#sums].map(([key, { total, count }]) => [key, total / count]))
  }
}

/** By chance. */
export function atRandom(groups: ChannelGroups, seed: number): Importance {
  const key = randomKey(seed, streamOf('prune'))
  const channels = groups.sets.flatMap(set => set.channels)
  return new Map(channels.map((channel, i) => [channel, randomAt(key, i)]))
}

/**
 * For each channel that may be left out, the sum over all elements of a parameter that lie at its indices of an axis.
 * @param values of the parameter, or something like it
 */
export function sumsAlong(
  groups: ChannelGroups,
  node: Node,
  axis: number,
  values: ArrayLike<number>,
  each: (value: number) => number = value => value,
): Map<number, number> {
  const [value] = outputsOf(node)
  const { shape } = value.type
  const channels = Array.from({ length: shape[axis] }, (_, index) => groups.of(value, axis, index))
  const sums = new Map<number, number>()
  if (!channels.some(channel => groups.isRemovable(channel))) return sums
  const inner = elements(shape.slice(axis + 1))
  for (let place = 0; place < values.length; ) {
    for (const channel of channels) {
      let sum = 0
      for (const end = place + inner; place < end; place++) sum += each(values[place])
      if (groups.isRemovable(channel)) sums.set(channel, (sums.get(channel) ?? 0) + sum)
    }
  }
  return sums
}
