/**
 * @file What each layer alone bears: the accuracy without so much of it, all else as it was and nothing trained (Li et al. 2017,
 * arXiv 1608.08710, section 3.2).
 */
import type { Dataset } from '../data/dataset.js'
import { dataset } from '../data/dataset-setting.js'
import type { Engine } from '../engines/engine.js'
import { engine } from '../engines/engine-setting.js'
import type { Model } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { group, type Rows } from '../settings/group.js'
import { callback, choice, list, number, whole } from '../settings/kinds.js'
import { evaluate } from '../train/evaluate.js'
import { ChannelGroups } from './channel-groups.js'
import { leastOf } from './choose-channels.js'
import { chooseWeights } from './choose-weights.js'
import { connectionNodes, masked } from './connections.js'
import { expectFloat32 } from './expect-float32.js'
import { type Criterion, criteria } from './importance.js'
import { importanceBy } from './importance-by.js'
import { measuringOn } from './over-batches.js'
import { keptState, withoutChannels } from './remove-channels.js'
import { scoresBy } from './weight-scores.js'

/** What goes: whole channels, or single weights. */
export const prunedUnits = ['channels', 'weights'] as const
/** One of `prunedUnits`. */
export type PrunedUnit = (typeof prunedUnits)[number]

/** What is tried, and on which images it is measured. */
export interface AnalyzePruningOptions {
  /** Images that the model was not trained on. */
  readonly images: Dataset
  /** Default `channels`. */
  readonly unit?: PrunedUnit
  /** Which channels go first; of weights the smallest or, by `taylor`, those that the loss needs least. Default `l2`. */
  readonly importance?: Criterion
  /** The parts of a layer that go, one after another. Default 0.25, 0.5, 0.75, 0.9. */
  readonly ratios?: readonly number[]
  /** For `taylor`. */
  readonly trainingImages?: Dataset
  /** Images at a time. Default 100. */
  readonly batchSize?: number
  /** Of `random`. Default 0. */
  readonly seed?: number
  /** Default: the best that is there (`defaultEngine`). */
  readonly engine?: Engine
  /** After each measurement; `of` in all. */
  readonly onPoint?: (done: number, of: number) => void | Promise<void>
}

const analyzeOptions = group('how pruning is tried', {
  images: dataset('images that the model was not trained on'),
  unit: choice('what goes', prunedUnits).default('channels'),
  importance: choice('what goes first', criteria).default('l2'),
  ratios: list(
    'parts of a layer that go',
    'numbers above 0 and below 1',
    number('a part of a layer', { above: 0, below: 1 }),
  ).default([0.25, 0.5, 0.75, 0.9]),
  trainingImages: dataset('for taylor').optional(),
  batchSize: whole('images at a time', { from: 1 }).default(100),
  seed: whole('of random').default(0),
  engine,
  onPoint: callback<NonNullable<AnalyzePruningOptions['onPoint']>>('after each measurement').optional(),
} satisfies Rows<AnalyzePruningOptions>)

/** What a layer bears. */
export interface LayerSensitivity {
  /** The parameter that makes the channels, or holds the weights: `layer1.0.conv1.weight`. */
  readonly name: string
  /** How many it has. */
  readonly size: number
  /** For each ratio, the accuracy without that part of it. */
  readonly accuracies: readonly number[]
}

/** What pruning of single layers comes to. */
export interface PruningAnalysis {
  /** Of the whole model. */
  readonly accuracy: number
  readonly ratios: readonly number[]
  readonly layers: readonly LayerSensitivity[]
}

/**
 * Measures the model without parts of each of its layers in turn. Norms keep their statistics, and nothing is trained.
 * @throws InvalidArgumentError for options or images that do not fit
 */
export async function analyzePruning(model: Model, options: AnalyzePruningOptions): Promise<PruningAnalysis> {
  modelOf(model)
  const { images, unit, importance, ratios, trainingImages, batchSize, seed, onPoint, ...rest } = analyzeOptions.parse(
    options,
    '',
  )
  expectFloat32(model)
  const measuring = await measuringOn(model, 'images', images, { batchSize, ...rest })
  const { engine } = measuring
  const measuredOn =
    trainingImages && (await measuringOn(model, 'trainingImages', trainingImages, { batchSize, engine }))
  const how = { seed, ...(measuredOn && { measuredOn }) }
  const accuracyOf = async (changed: Model): Promise<number> => {
    const { engine, batchSize } = measuring
    return (await evaluate(changed, images, { engine, batchSize })).accuracy
  }
  const trials =
    unit === 'channels'
      ? await withoutChannelsOf(model, importance, how)
      : await withoutWeightsOf(model, importance, how)
  const accuracy = await accuracyOf(model)
  const layers: LayerSensitivity[] = []
  for (const { name, size, without } of trials) {
    const accuracies: number[] = []
    for (const ratio of ratios) {
      accuracies.push(await accuracyOf(without(ratio)))
      await onPoint?.(layers.length * ratios.length + accuracies.length, trials.length * ratios.length)
    }
    layers.push({ name, size, accuracies })
  }
  return { accuracy, ratios, layers }
}

/** A layer, and the model without a part of it. */
interface Trial {
  readonly name: string
  readonly size: number
  readonly without: (ratio: number) => Model
}

type How = Parameters<typeof importanceBy>[3]

async function withoutChannelsOf(model: Model, criterion: Criterion, how: How): Promise<Trial[]> {
  const groups = new ChannelGroups(model.graph)
  const importance = await importanceBy(criterion, groups, model, how)
  return groups.sets
    .filter(({ channels }) => channels.length > 1 && channels.every(channel => importance.has(channel)))
    .map(({ name, channels }) => ({
      name,
      size: channels.length,
      without: ratio => {
        // One stays.
        const count = Math.min(channels.length - 1, Math.round(ratio * channels.length))
        const out = new Set(leastOf(channels, importance).slice(0, count))
        return { ...model, graph: withoutChannels(groups, out), weights: keptState(groups, model.weights, out) }
      },
    }))
}

async function withoutWeightsOf(model: Model, criterion: Criterion, how: How): Promise<Trial[]> {
  const scores = await scoresBy(criterion === 'taylor' || criterion === 'random' ? criterion : 'magnitude', model, how)
  return connectionNodes(model.graph).map(({ name, outputs: [{ shape }] }) => ({
    name,
    size: scores.get(name)!.length,
    without: ratio => {
      const layer = { name, shape, scores: scores.get(name)! }
      const masks = chooseWeights([layer], { amount: ratio, scope: 'global', pattern: 'any' })
      const weights = new Map(model.weights).set(name, masked(model.weights.get(name)!, masks.get(name)!))
      return { ...model, weights }
    },
  }))
}
