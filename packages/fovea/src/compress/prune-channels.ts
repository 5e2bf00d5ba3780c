/**
 * @file Structured pruning: a model without the channels that it needs least. What comes of it is a smaller model like any
 * other, which is saved, trained and pruned again as such.
 */
import type { Dataset } from '../data/dataset.js'
import { checkNotEmpty, dataset } from '../data/dataset-setting.js'
import { defaultEngine } from '../engines/default.js'
import type { Engine } from '../engines/engine.js'
import { engine } from '../engines/engine-setting.js'
import { InvalidArgumentError } from '../errors.js'
import type { Model } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { graphMultiplyAdds } from '../models/summary.js'
import { group, type Rows } from '../settings/group.js'
import { choice, number, whole } from '../settings/kinds.js'
import { checkDataset } from '../train/check-dataset.js'
import { ChannelGroups } from './channel-groups.js'
import { chooseChannels } from './choose-channels.js'
import { estimateNorms } from './estimate-norms.js'
import { expectFloat32 } from './expect-float32.js'
import { type Criterion, criteria } from './importance.js'
import { importanceBy } from './importance-by.js'
import { keptState, withoutChannels } from './remove-channels.js'
import { type Scope, scopes } from './scope.js'

/** What is pruned, by what, and how much of it. */
export interface PruneChannelsOptions {
  /** The part of the model's multiply-adds that goes, between 0 and 1. */
  readonly amount: number
  /** Default `l2`. */
  readonly importance?: Criterion
  /** Default `global`. */
  readonly scope?: Scope
  /** Layers keep multiples of so many channels, which kernels work on together. Default 8. */
  readonly multipleOf?: number
  /** Training images: for `taylor`, and for new statistics of norms. Without them, norms keep what is left of theirs. */
  readonly images?: Dataset
  /** Images at a time. Default 32. */
  readonly batchSize?: number
  /** Of `random`. Default 0. */
  readonly seed?: number
  /** Default: the native engine where it is built, else the reference engine. */
  readonly engine?: Engine
}

const pruneChannelsOptions = group('how channels are pruned', {
  amount: number('the part of the multiply-adds that goes', { above: 0, below: 1 }),
  importance: choice('what decides which channels go', criteria).default('l2'),
  scope: choice('whether layers are weighed against each other', scopes).default('global'),
  multipleOf: whole('channels that layers keep a multiple of', { from: 1 }).default(8),
  images: dataset('training images, for taylor and for new statistics of norms').optional(),
  batchSize: whole('images at a time', { from: 1 }).default(32),
  seed: whole('of random').default(0),
  engine,
} satisfies Rows<PruneChannelsOptions>)

/** Channels of one set, before and after. */
export interface PrunedSet {
  /** The parameter that makes them: `layer1.0.conv1.weight`. */
  readonly name: string
  readonly channels: number
  readonly kept: number
}

/** A pruned model, and what is left of each set of channels. */
export interface PrunedChannels {
  readonly model: Model
  readonly sets: readonly PrunedSet[]
}

/**
 * The model without the channels that matter least, at most `1 − amount` of its multiply-adds left.
 * @throws InvalidArgumentError for options that do not fit, an amount that would leave a layer without channels, or a
 *   criterion that says nothing of the model
 */
export async function pruneChannels(model: Model, options: PruneChannelsOptions): Promise<PrunedChannels> {
  modelOf(model)
  const {
    amount,
    importance: criterion,
    scope,
    multipleOf,
    images,
    batchSize,
    seed,
    ...how
  } = pruneChannelsOptions.parse(options, '')
  expectFloat32(model)
  if (images !== undefined) {
    checkNotEmpty(images, 'images')
    checkDataset(model, images)
  }
  const groups = new ChannelGroups(model.graph)
  const measuredOn = images && {
    images,
    batchSize: Math.min(batchSize, images.length),
    engine: how.engine ?? (await defaultEngine()),
  }
  const importance = await importanceBy(criterion, groups, model, { seed, ...(measuredOn && { measuredOn }) })
  const out = channelsThatGo(groups, chooseChannels(groups, { importance, scope, multipleOf }), amount)
  const graph = withoutChannels(groups, out)
  const smaller = { ...model, graph, weights: keptState(groups, model.weights, out) }
  return {
    model: measuredOn ? await estimateNorms(smaller, measuredOn) : smaller,
    sets: groups.sets.map(({ name, channels }) => ({
      name,
      channels: channels.length,
      kept: channels.filter(channel => !out.has(channel)).length,
    })),
  }
}

/** As few of the channels as make the amount. */
function channelsThatGo(groups: ChannelGroups, choose: (share: number) => Set<number>, amount: number): Set<number> {
  const before = graphMultiplyAdds(groups.graph)
  const gone = (out: ReadonlySet<number>): number => 1 - graphMultiplyAdds(withoutChannels(groups, out)) / before
  const most = gone(choose(1))
  if (most < amount) {
    throw new InvalidArgumentError(
      `amount ${amount} would leave a layer without channels: at most ${Math.floor(1000 * most) / 1000} of the multiply-adds can go`,
    )
  }
  let [few, many] = [0, 1]
  for (let i = 0; i < SEARCH_STEPS; i++) {
    const share = (few + many) / 2
    if (gone(choose(share)) < amount) few = share
    else many = share
  }
  return choose(many)
}

/** Enough to tell any two channels of a model apart. */
const SEARCH_STEPS = 16
