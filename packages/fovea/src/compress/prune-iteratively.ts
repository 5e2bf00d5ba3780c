/**
 * @file Iterative pruning (Han et al. 2015, arXiv 1506.02626, section 3.1): some channels go, what is left is trained, more go. So each
 * choice is made by weights that have got over the one before.
 */
import type { Model } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { graphMultiplyAdds } from '../models/summary.js'
import { group, type Rows } from '../settings/group.js'
import { callback, number, whole } from '../settings/kinds.js'
import {
  channelRows,
  expectPrunable,
  type PruneChannelsOptions,
  type PrunedChannels,
  type PrunedSet,
  prunablePart,
  pruneChannels,
} from './prune-channels.js'

/** What goes, in how many times, and what is done in between. */
export interface PruneIterativelyOptions extends PruneChannelsOptions {
  /** How many times channels go: an equal part of the multiply-adds each. */
  readonly iterations: number
  /** Trains what is left, after each time: `iteration` is 1 the first time. */
  readonly train: (pruned: Model, iteration: number) => Promise<Model>
}

const pruneIterativelyOptions = group('how channels are pruned iteratively', {
  amount: number('the part of the multiply-adds that goes', { above: 0, below: 1 }),
  iterations: whole('how many times channels go', { from: 1 }),
  train: callback<PruneIterativelyOptions['train']>('trains what is left'),
  ...channelRows,
} satisfies Rows<PruneIterativelyOptions>)

/**
 * The model without the channels that matter least, at most `1 − amount` of its multiply-adds left, taken in `iterations` equal parts
 * and trained after each.
 * @returns the model as it was trained last, and what is left of each set of channels
 * @throws InvalidArgumentError as pruneChannels does; what `train` throws
 */
export async function pruneIteratively(model: Model, options: PruneIterativelyOptions): Promise<PrunedChannels> {
  modelOf(model)
  pruneIterativelyOptions.parse(options, '')
  const { amount, iterations, train, ...how } = options
  // Before anything is trained. What can go is the same by any criterion.
  const { images: _, ...unmeasured } = how
  expectPrunable(amount, await prunablePart(model, { ...unmeasured, importance: 'random' }))
  let left = model
  const sets = new Map<string, PrunedSet>()
  for (let iteration = 1; iteration <= iterations; iteration++) {
    const remaining = graphMultiplyAdds(left.graph) / graphMultiplyAdds(model.graph)
    const part = 1 - (1 - (amount * iteration) / iterations) / remaining
    // Channels go in groups: so much may have gone already.
    if (part > 0) {
      const pruned = await pruneChannels(left, { ...how, amount: part })
      left = pruned.model
      for (const set of pruned.sets)
        sets.set(set.name, { ...set, channels: sets.get(set.name)?.channels ?? set.channels })
    }
    left = await train(left, iteration)
  }
  return { model: left, sets: [...sets.values()] }
}
