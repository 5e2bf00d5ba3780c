/**
 * @file Unstructured pruning: a model some of whose weights are 0, those that it needs least. It takes less room in a file;
 * dense arithmetic takes as long as before. Its zeros stay while it trains with `pruning: { type: 'kept' }` (train/features).
 */
import type { Dataset } from '../data/dataset.js'
import { checkNotEmpty, dataset } from '../data/dataset-setting.js'
import { defaultEngine } from '../engines/default.js'
import type { Engine } from '../engines/engine.js'
import { engine } from '../engines/engine-setting.js'
import { InvalidArgumentError, SettingError } from '../errors.js'
import type { HostArray } from '../graph/arrays.js'
import { type Graph, type Node, parameterNodes } from '../graph/graph.js'
import { isFloat } from '../graph/types.js'
import type { Model } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { randomAt, randomKey, streamOf } from '../random.js'
import { group, type Rows } from '../settings/group.js'
import { choice, number, whole } from '../settings/kinds.js'
import { checkDataset } from '../train/check-dataset.js'
import { type Scope, scopes } from './choose-channels.js'
import { chooseWeights, type Pattern, patterns, type ScoredWeights } from './choose-weights.js'
import { estimateNorms } from './estimate-norms.js'
import { squaredChanges } from './taylor.js'

/** What decides which single weights go. */
export const weightCriteria = ['magnitude', 'taylor', 'random'] as const
/**
 * One of `weightCriteria`: `magnitude` the size of a weight (Han et al. 2015); `taylor` the square of what the loss changes
 * by, to first order, when it becomes 0 (Molchanov et al. 2019); `random` what all others must beat.
 */
export type WeightCriterion = (typeof weightCriteria)[number]

/** What is pruned, by what, and how much of it. */
export interface PruneWeightsOptions {
  /** The part of the model's connections that goes, between 0 and 1; not beside a pattern that says it. */
  readonly amount?: number
  /** Default `magnitude`. */
  readonly importance?: WeightCriterion
  /** `uniform` takes the same part of each layer. Default `global`. */
  readonly scope?: Scope
  /** Default `any`. */
  readonly pattern?: Pattern
  /** Training images: for `taylor`, and for new statistics of norms. Without them, norms keep theirs. */
  readonly images?: Dataset
  /** Images at a time. Default 32. */
  readonly batchSize?: number
  /** Of `random`. Default 0. */
  readonly seed?: number
  /** Default: the native engine where it is built, else the reference engine. */
  readonly engine?: Engine
}

const pruneWeightsOptions = group('how weights are pruned', {
  amount: number('the part of the connections that goes', { above: 0, below: 1 }).optional(),
  importance: choice('what decides which weights go', weightCriteria).default('magnitude'),
  scope: choice('whether layers are weighed against each other', scopes).default('global'),
  pattern: choice('where in a layer weights go', patterns).default('any'),
  images: dataset('training images, for taylor and for new statistics of norms').optional(),
  batchSize: whole('images at a time', { from: 1 }).default(32),
  seed: whole('of random').default(0),
  engine,
} satisfies Rows<PruneWeightsOptions>)

/** The connections of one layer, before and after. */
export interface PrunedLayer {
  /** The parameter that holds them: `layer1.0.conv1.weight`. */
  readonly name: string
  readonly weights: number
  /** How many are not 0. */
  readonly kept: number
}

/** A pruned model, and what is left of each layer. */
export interface PrunedWeights {
  readonly model: Model
  readonly layers: readonly PrunedLayer[]
}

/** The part that each pattern takes, where it says so. */
const amountOf = { any: undefined, '2:4': 0.5 } as const

/** The parameters that hold connections: weights of convolutions and matrices. Biases and norms are few, and none. */
export const connectionNodes = (graph: Graph): Node[] =>
  parameterNodes(graph).filter(({ outputs: [{ shape, dtype }] }) => shape.length > 1 && isFloat(dtype))

/** How many connections each layer has, and how many of them are not 0. */
export function connectionsOf(model: Model): PrunedLayer[] {
  const { graph, weights } = modelOf(model)
  return connectionNodes(graph).map(({ name }) => {
    const values = weights.get(name)!
    let kept = 0
    for (let i = 0; i < values.length; i++) if (values[i] !== 0) kept++
    return { name, weights: values.length, kept }
  })
}

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
  if (images !== undefined) {
    checkNotEmpty(images, 'images')
    checkDataset(model, images)
  }
  const measuredOn = images && {
    images,
    batchSize: Math.min(batchSize, images.length),
    engine: rest.engine ?? (await defaultEngine()),
  }
  const scoresOf = async (): Promise<ReadonlyMap<string, ArrayLike<number>>> => {
    switch (importance) {
      case 'magnitude':
        return magnitudes(model)
      case 'taylor':
        if (measuredOn === undefined)
          throw new InvalidArgumentError("importance 'taylor' needs images to measure the loss on")
        return squaredChanges(model, measuredOn)
      case 'random':
        return atRandom(model, seed)
    }
  }
  const scores = await scoresOf()
  const layers = connectionNodes(model.graph).map(
    ({ name, outputs: [{ shape }] }): ScoredWeights => ({ name, shape, scores: scores.get(name)! }),
  )
  const masks = chooseWeights(layers, { amount, scope, pattern })
  const weights = new Map([...model.weights].map(([name, values]) => [name, masked(values, masks.get(name))] as const))
  const pruned = { ...model, weights }
  return {
    model: measuredOn ? await estimateNorms(pruned, measuredOn) : pruned,
    layers: connectionsOf(pruned),
  }
}

/** The values where the mask has 1, else 0. */
export function masked(values: HostArray, mask: Uint8Array | undefined): HostArray {
  if (mask === undefined) return values
  const left = values.slice()
  for (let i = 0; i < left.length; i++) if (mask[i] === 0) left[i] = 0
  return left
}

const magnitudes = ({ graph, weights }: Model): ReadonlyMap<string, Float32Array> =>
  new Map(connectionNodes(graph).map(({ name }) => [name, Float32Array.from(weights.get(name)!, Math.abs)]))

/** Those that are 0 go first, as by any other criterion. */
function atRandom({ graph, weights }: Model, seed: number): ReadonlyMap<string, Float64Array> {
  return new Map(
    connectionNodes(graph).map(({ name }) => {
      const key = randomKey(seed, streamOf(`prune ${name}`))
      return [name, Float64Array.from(weights.get(name)!, (value, i) => (value === 0 ? -1 : randomAt(key, i)))]
    }),
  )
}
