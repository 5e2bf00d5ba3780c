/**
 * @file Early stopping: a run ends when the held-out loss has not fallen for some epochs, and leaves the weights with which
 * it was lowest. Prechelt 1998, "Early Stopping – But When?". All follows from the history, so a resumed run decides alike.
 */
import { InvalidArgumentError } from '../errors.js'
import type { EpochMetrics } from '../formats/checkpoint.js'
import type { Model, Weights } from '../models/model.js'

export interface EarlyStopping {
  /** Epochs without a lower held-out loss after which the run ends. */
  readonly patience: number
  /** By how much the loss must fall to count. Default 0. */
  readonly minimumDelta?: number
}

/** @throws InvalidArgumentError for numbers that make no rule */
export function checkEarlyStopping({ patience, minimumDelta = 0 }: EarlyStopping): void {
  if (!Number.isSafeInteger(patience) || patience < 1) {
    throw new InvalidArgumentError(
      `earlyStopping: patience must be a whole number of epochs from 1 on, got ${patience}`,
    )
  }
  if (!(minimumDelta >= 0)) {
    throw new InvalidArgumentError(`earlyStopping: minimumDelta must be a number of at least 0, got ${minimumDelta}`)
  }
}

/** The place in the history of the best epoch so far: each must fall by more than `minimumDelta` below the best before. */
export function bestEpoch(history: readonly EpochMetrics[], minimumDelta = 0): number {
  const loss = ({ validationLoss = Number.POSITIVE_INFINITY }: EpochMetrics): number => validationLoss
  return history.reduce((best, row, i) => (loss(row) < loss(history[best]) - minimumDelta ? i : best), 0)
}

/** Whether the run ends here. */
export const stopsEarly = (history: readonly EpochMetrics[], { patience, minimumDelta }: EarlyStopping): boolean =>
  history.length - 1 - bestEpoch(history, minimumDelta) >= patience

const SLOT = ':best'

/** The best epoch's weights as slots, so that a checkpoint holds them: `conv1.weight:best`. */
export const bestSlots = (best: Weights): Weights => new Map([...best].map(([name, values]) => [name + SLOT, values]))

/** The best epoch's weights out of a checkpoint's slots, where it has them. */
export function bestWeights({ weights }: Model, slots: Weights): Weights | undefined {
  const found = [...weights.keys()].map(name => [name, slots.get(name + SLOT)] as const)
  return found.every(([, values]) => values !== undefined) ? (new Map(found) as Weights) : undefined
}
