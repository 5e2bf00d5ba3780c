/**
 * @file Unstructured pruning: a model some of whose weights are 0, those that it needs least. It takes less room in a file;
 * dense arithmetic takes as long as before. Its zeros stay while it trains with `pruning: { type: 'kept' }` (train/features).
 */
import { SettingError } from '../errors.js'
import type { Model } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { group, type Rows } from '../settings/group.js'
import { choice, number } from '../settings/kinds.js'
import { chooseWeights, type Pattern, patterns, type ScoredWeights } from './choose-weights.js'
import { connectionNodes, connectionsOf, type LayerConnections, masked } from './connections.js'
import { estimateNorms } from './estimate-norms.js'
import { expectFloat32 } from './expect-float32.js'
import { measuringOn } from './over-batches.js'
import { type PruningOptions, pruningSettings } from './pruning-options.js'
import { scoresBy, type WeightCriterion, weightCriteria } from './weight-scores.js'

/** What is pruned, by what, and how much of it. */
export interface PruneWeightsOptions extends PruningOptions {
  /** The part of the model's connections that goes, between 0 and 1; not beside a pattern that says it. */
  readonly amount?: number
  /** Default `magnitude`. */
  readonly importance?: WeightCriterion
  /** Default `any`. */
  readonly pattern?: Pattern
}

const pruneWeightsOptions = group('how weights are pruned', {
  amount: number('the part of the connections that goes', { above: 0, below: 1 }).optional(),
  importance: choice('what decides which weights go', weightCriteria).default('magnitude'),
  pattern: choice('where in a layer weights go', patterns).default('any'),
  ...pruningSettings,
} satisfies Rows<PruneWeightsOptions>)

/** A pruned model, and what is left of each layer. */
export interface PrunedWeights {
  readonly model: Model
  readonly layers: readonly LayerConnections[]
}

/** The part that each pattern takes, where it says so. */
const amountOf = { any: undefined, '2:4': 0.5 } as const

/**
 * The model with 0 for the weights that matter least. Those that are 0 already are among them, so the amount is what is gone in
 * the end.
 * @throws InvalidArgumentError for options that do not fit, and an amount that would leave a layer without weights
 */
export async function pruneWeights(model: Model, options: PruneWeightsOptions): Promise<PrunedWeights> {
  modelOf(model)
  const { importance, scope, pattern, images, batchSize, seed, ...rest } = pruneWeightsOptions.parse(options, '')
  const amount = amountOf[pattern] ?? rest.amount
  if (amount === undefined) throw new SettingError('amount', 'missing; expected a number above 0 and below 1')
  if (rest.amount !== undefined && rest.amount !== amount) {
    throw new SettingError('amount', `a pattern of ${pattern} takes ${amount}, not ${rest.amount}: leave it out`)
  }
  expectFloat32(model)
  const measuredOn = images && (await measuringOn(model, 'images', images, { batchSize, engine: rest.engine }))
  const scores = await scoresBy(importance, model, { seed, ...(measuredOn && { measuredOn }) })
  const layers = connectionNodes(model.graph).map(
    ({ name, outputs: [{ shape }] }): ScoredWeights => ({ name, shape, scores: scores.get(name)! }),
  )
  const masks = chooseWeights(layers, { amount, scope, pattern })
  const weights = new Map(
    [...model.weights].map(([name, values]) => {
      const mask = masks.get(name)
      return [name, mask ? masked(values, mask) : values] as const
    }),
  )
  const pruned = { ...model, weights }
  return {
    model: measuredOn ? await estimateNorms(pruned, measuredOn) : pruned,
    layers: connectionsOf(pruned),
  }
}
