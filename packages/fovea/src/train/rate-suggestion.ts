/** @file What the losses of a learning-rate range test say about the rate to train with. Knows no model and no engine. */
import { DivergenceError, FoveaError } from '../errors.js'

/** One step of a learning-rate range test. */
export interface TriedRate {
  readonly learningRate: number
  /** Of that step's batch, before its update. */
  readonly loss: number
}

/** What a learning-rate range test came to. */
export interface LearningRateSearch {
  /** Where the smoothed loss falls fastest: the highest rate to train with. */
  readonly steepest: number
  /** A tenth of the rate at which the smoothed loss is lowest: mostly the more cautious choice. */
  readonly tenthOfLowest: number
  /** Every step, up to the one at which the loss had grown to four times its lowest. */
  readonly steps: readonly (TriedRate & { readonly smoothedLoss: number })[]
}

/** So many times the lowest loss is taken for divergence. */
const DIVERGED = 4

/** The deviation of the smoothing as a part of the steps: of 100 it averages over about 14. */
const SMOOTHING = 1 / 25

/** Whether the smoothed loss has just grown to four times its lowest. */
export function hasDiverged(tried: readonly TriedRate[], steps: number): boolean {
  const losses = tried.map(({ loss }) => loss)
  const soFar = losses.map((_, i) => smoothedAt(losses, i, steps, i + 1))
  return soFar[soFar.length - 1] > DIVERGED * Math.min(...soFar)
}

/**
 * Suggests a learning rate.
 * @param steps how many there would have been, had the loss not diverged
 * @throws DivergenceError if no rate kept the loss finite; FoveaError if it fell at none
 */
export function suggestRate(tried: readonly TriedRate[], steps: number): LearningRateSearch {
  if (tried.length < 3) {
    throw new DivergenceError(
      `the loss is no longer finite after ${tried.length} steps, at the lowest rates; try a lower range of rates`,
    )
  }
  const raw = tried.map(({ loss }) => loss)
  const least = Math.min(...raw)
  const end = raw.indexOf(least)
  // How far beyond it has diverged says nothing, and would reach into the mean of steps before.
  const losses = raw.map((loss, i) => (i > end ? Math.min(loss, DIVERGED * least) : loss))
  const smoothed = losses.map((_, i) => smoothedAt(losses, i, steps))
  const slope = (i: number): number => smoothed[i + 1] - smoothed[i - 1]
  let steepest = 0
  let lowest = 0
  for (let i = 1; i < smoothed.length - 1; i++) {
    if (smoothed[i] >= smoothed[lowest]) continue
    // Only lows that are new count: the fall from a peak after too large a step is no progress.
    lowest = i
    if (steepest === 0 || slope(i) < slope(steepest)) steepest = i
  }
  // Smoothed losses alone would differ by a part of the deviation around them.
  const squares = losses.slice(0, lowest + 1).reduce((sum, loss, i) => sum + (loss - smoothed[i]) ** 2, 0)
  if (smoothed[0] - smoothed[lowest] <= Math.sqrt(squares / (lowest + 1))) {
    const [first, last] = [tried[0], tried[tried.length - 1]].map(({ learningRate }) => learningRate.toPrecision(2))
    throw new FoveaError(
      `the loss falls at no learning rate from ${first} to ${last}; try other rates, more steps or larger batches`,
    )
  }
  return {
    steepest: tried[steepest].learningRate,
    tenthOfLowest: tried[lowest].learningRate / 10,
    steps: tried.map((step, i) => ({ ...step, smoothedLoss: smoothed[i] })),
  }
}

/** The mean of the losses around step `i`, by a Gaussian of their distance: unlike a running mean it lags behind nothing. `end`: how many are known. */
function smoothedAt(losses: readonly number[], i: number, steps: number, end = losses.length): number {
  const deviation = SMOOTHING * steps
  const first = Math.max(0, Math.floor(i - 3 * deviation))
  const near = losses.slice(first, Math.min(end, Math.ceil(i + 3 * deviation) + 1))
  const weights = near.map((_, j) => Math.exp(-0.5 * ((first + j - i) / deviation) ** 2))
  const total = weights.reduce((a, b) => a + b)
  return near.reduce((sum, loss, j) => sum + (weights[j] / total) * loss, 0)
}
