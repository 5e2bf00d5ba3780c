/**
 * @file Structured pruning: a model without the channels that it needs least. What comes of it is a smaller model like any
 * other, which is saved, trained and pruned again as such.
 */
import { InvalidArgumentError } from '../errors.js'
import type { Model } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { graphMultiplyAdds } from '../models/summary.js'
import { group, type Rows } from '../settings/group.js'
import { choice, number, whole } from '../settings/kinds.js'
import { ChannelGroups } from './channel-groups.js'
import { type ChosenChannels, chooseChannels } from './choose-channels.js'
import { estimateNorms } from './estimate-norms.js'
import { expectFloat32 } from './expect-float32.js'
import { type Criterion, criteria } from './importance.js'
import { importanceBy } from './importance-by.js'
import { measuringOn } from './over-batches.js'
import { type PruningOptions, pruningSettings } from './pruning-options.js'
import { keptState, withoutChannels } from './remove-channels.js'

/** What is pruned, and by what. */
export interface ChannelOptions extends PruningOptions {
  /** Default `l2`. */
  readonly importance?: Criterion
  /** Layers keep multiples of so many channels, which kernels work on together. Default 8. */
  readonly multipleOf?: number
}

/** The same, and how much of it. */
export interface PruneChannelsOptions extends ChannelOptions {
  /** The part of the model's multiply-adds that goes, between 0 and 1. */
  readonly amount: number
}

/** The settings of them. */
export const channelRows = {
  importance: choice('what decides which channels go', criteria).default('l2'),
  multipleOf: whole('channels that layers keep a multiple of', { from: 1 }).default(8),
  ...pruningSettings,
} satisfies Rows<ChannelOptions>

const channelOptions = group('how channels are pruned', channelRows)

const pruneChannelsOptions = group('how channels are pruned', {
  amount: number('the part of the multiply-adds that goes', { above: 0, below: 1 }),
  ...channelRows,
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
  const { amount, ...how } = pruneChannelsOptions.parse(options, '')
  const { groups, chosen, measuredOn } = await rankChannels(model, how)
  const out = channelsThatGo(groups, chosen, amount)
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

/**
 * The part of a model's multiply-adds that pruneChannels can take, 0 to 1: no `amount` may be larger.
 * @throws InvalidArgumentError for options that do not fit, or a criterion that says nothing of the model
 */
export async function prunablePart(model: Model, options: ChannelOptions = {}): Promise<number> {
  modelOf(model)
  const { groups, chosen } = await rankChannels(model, channelOptions.parse(options, ''))
  return goneWithout(groups, chosen.of(1))
}

/** The channels of a model by how much they are needed, and what that was measured on. */
async function rankChannels(
  model: Model,
  {
    importance: criterion,
    scope,
    multipleOf,
    images,
    batchSize,
    seed,
    ...how
  }: ReturnType<typeof channelOptions.parse>,
) {
  expectFloat32(model)
  const measuredOn = images && (await measuringOn(model, 'images', images, { batchSize, ...how }))
  const groups = new ChannelGroups(model.graph)
  const importance = await importanceBy(criterion, groups, model, { seed, ...(measuredOn && { measuredOn }) })
  return { groups, chosen: chooseChannels(groups, { importance, scope, multipleOf }), measuredOn }
}

/** The part of the multiply-adds that goes with these channels. */
const goneWithout = (groups: ChannelGroups, out: ReadonlySet<number>): number =>
  1 - graphMultiplyAdds(withoutChannels(groups, out)) / graphMultiplyAdds(groups.graph)

/** @throws InvalidArgumentError for more than the most that can go */
export function expectPrunable(amount: number, most: number): void {
  if (most >= amount) return
  throw new InvalidArgumentError(
    `amount ${amount} would leave a layer without channels: at most ${Math.floor(1000 * most) / 1000} of the multiply-adds can go`,
  )
}

/** Channels that make the amount, and few more. */
function channelsThatGo(groups: ChannelGroups, chosen: ChosenChannels, amount: number): Set<number> {
  const most = goneWithout(groups, chosen.of(1))
  expectPrunable(amount, most)
  let [few, many] = [0, 1]
  for (let i = 0; i < SEARCH_STEPS; i++) {
    const share = (few + many) / 2
    if (goneWithout(groups, chosen.of(share)) < amount) few = share
    else many = share
  }
  let out = chosen.of(many)
  if (goneWithout(groups, out) < amount + CLOSE_ENOUGH) return out
  // The last to go may have been the channels that many layers share, and more than were needed: others stay for them.
  for (const multiples of chosen.mayStay(out)) {
    for (const staying of multiples) {
      const fewer = new Set(out)
      for (const channel of staying) fewer.delete(channel)
      if (goneWithout(groups, fewer) < amount) break
      out = fewer
    }
  }
  return out
}

/** Nobody asks for a part of a percent. */
const CLOSE_ENOUGH = 0.005
/** Enough to tell any two channels of a model apart. */
const SEARCH_STEPS = 16
