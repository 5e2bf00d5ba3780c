/** @file The importance of channels by the name of a criterion, from weights or from images, whichever it needs. */
import { InvalidArgumentError } from '../errors.js'
import type { Model } from '../models/model.js'
import type { ChannelGroups } from './channel-groups.js'
import { atRandom, type Criterion, type Importance, normScales, weightNorms } from './importance.js'
import type { MeasuredOn } from './over-batches.js'
import { taylorImportance } from './taylor.js'

interface How {
  /** Of `random`. */
  readonly seed: number
  /** For `taylor`. */
  readonly measuredOn?: MeasuredOn
}

/**
 * The importance of each channel by a criterion.
 * @throws InvalidArgumentError if it needs images that are not given, or says nothing of the model
 */
export async function importanceBy(
  criterion: Criterion,
  groups: ChannelGroups,
  model: Model,
  how: How,
): Promise<Importance> {
  const importance = await byCriterion(criterion, groups, model, how)
  if (importance.size > 0) return importance
  throw new InvalidArgumentError(`importance '${criterion}' says nothing of ${model.name}: no layer has a norm`)
}

async function byCriterion(
  criterion: Criterion,
  groups: ChannelGroups,
  model: Model,
  { seed, measuredOn }: How,
): Promise<Importance> {
  const { weights } = model
  switch (criterion) {
    case 'l1':
      return weightNorms(groups, weights, 1)
    case 'l2':
      return weightNorms(groups, weights, 2)
    case 'batch-norm':
      return normScales(groups, weights)
    case 'taylor':
      return taylorImportance(groups, model, measuredOn)
    case 'random':
      return atRandom(groups, seed)
  }
}
