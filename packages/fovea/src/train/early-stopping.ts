/**
 * @file Early stopping: a run ends when the held-out loss has not fallen for some epochs, and leaves the weights with which
 * it was lowest. Prechelt 1998, "Early Stopping – But When?". All follows from the history, so a resumed run decides alike.
 */

import type { Model, Weights } from '../models/model.js'
import { group, type Rows } from '../settings/group.js'
import { number, whole } from '../settings/kinds.js'
import type { EpochMetrics } from './training-state.js'

export interface EarlyStopping {
  /** Epochs without a lower held-out loss after which the run ends. */
  readonly patience: number
  /** By how much the loss must fall to count. Default 0. */
  readonly minimumDelta?: number
}

/** The table of `EarlyStopping`. */
export const earlyStoppingSetting = group('ends the run early', {
  patience: whole('epochs without a lower held-out loss after which the run ends', { from: 1 }),
  minimumDelta: number('by how much the loss must fall to count', { from: 0 }).default(0),
} satisfies Rows<EarlyStopping>)

/** The place in the history of the best epoch so far: each must fall by more than `minimumDelta` below the best before. */
export function bestEpoch(history: readonly EpochMetrics[], minimumDelta: number): number {
  const loss = ({ validationLoss = Number.POSITIVE_INFINITY }: EpochMetrics): number => validationLoss
  return history.reduce((best, row, i) => (loss(row) < loss(history[best]) - minimumDelta ? i : best), 0)
}

/** Whether the run ends here. */
export const stopsEarly = (
  history: readonly EpochMetrics[],
  { patience, minimumDelta }: Required<EarlyStopping>,
): boolean => history.length - 1 - bestEpoch(history, minimumDelta) >= patience

const SLOT = ':best'

/** The best epoch's weights as slots, so that a checkpoint holds them: `conv1.weight:best`. */
export const bestSlots = (best: Weights): Weights => new Map([...best].map(([name, values]) => [name + SLOT, values]))

/** The best epoch's weights out of a checkpoint's slots, where it has them; what did not train is as it is in the model. */
export function bestWeights({ weights }: Model, slots: Weights): Weights | undefined {
  const names = [...weights.keys()]
  if (!names.some(name => slots.has(name + SLOT))) return undefined
  return new Map(names.map(name => [name, slots.get(name + SLOT) ?? weights.get(name)!]))
}
