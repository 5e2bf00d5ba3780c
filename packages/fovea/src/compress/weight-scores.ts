/** @file How much a network needs each of its weights, by a criterion: what has the lowest number goes first. */
import type { Model } from '../models/model.js'
import { randomAt, randomKey, streamOf } from '../random.js'
import { connectionNodes } from './connections.js'
import type { MeasuredOn } from './over-batches.js'
import { squaredChanges } from './taylor.js'

/** What decides which single weights go. */
export const weightCriteria = ['magnitude', 'taylor', 'random'] as const
/**
 * One of `weightCriteria`: `magnitude` the size of a weight (Han et al. 2015); `taylor` the square of what the loss changes
 * by, to first order, when it becomes 0 (Molchanov et al. 2019); `random` what all others must beat.
 */
export type WeightCriterion = (typeof weightCriteria)[number]

interface How {
  /** Of `random`. */
  readonly seed: number
  /** For `taylor`. */
  readonly measuredOn?: MeasuredOn
}

/**
 * A number for each weight, by parameter.
 * @throws InvalidArgumentError if the criterion needs images that are not given
 */
export async function scoresBy(
  criterion: WeightCriterion,
  model: Model,
  { seed, measuredOn }: How,
): Promise<ReadonlyMap<string, ArrayLike<number>>> {
  switch (criterion) {
    case 'magnitude':
      return magnitudes(model)
    case 'taylor':
      return squaredChanges(model, measuredOn)
    case 'random':
      return atRandom(model, seed)
  }
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
