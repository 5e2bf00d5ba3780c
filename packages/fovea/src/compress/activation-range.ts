/** @file Which numbers the 256 integers of an activation stand for, by a histogram of the numbers that it took. */
import type { HostArray } from '../graph/arrays.js'
import { type ActivationRange, scaleOf, UINT8_MOST } from '../ops/quantization.js'

/** Ways to choose a range: all that was seen; all but the outermost; the least error; the most information. */
export const rangeMethods = ['min-max', 'percentile', 'mse', 'entropy'] as const
/** One of `rangeMethods`. */
export type RangeMethod = (typeof rangeMethods)[number]

const LEVELS = UINT8_MOST + 1

/** How often numbers of a range were seen, or how much they weigh. */
export class Histogram {
  static readonly bins = 2048
  readonly counts = new Float64Array(Histogram.bins)

  constructor(readonly range: ActivationRange) {}

  get width(): number {
    return (this.range.high - this.range.low) / Histogram.bins
  }

  /** The middle of a bin. */
  center(bin: number): number {
    return this.range.low + (bin + 0.5) * this.width
  }

  /** Counts numbers of the range that are not 0, each as so many. */
  add(numbers: HostArray, weight = 1): void {
    const { counts, width } = this
    const { low } = this.range
    if (width === 0) return
    const last = Histogram.bins - 1
    for (let i = 0; i < numbers.length; i++) {
      const x = numbers[i]
      if (x === 0) continue
      const bin = Math.floor((x - low) / width)
      counts[Math.min(bin, last)] += weight
    }
  }
}

/**
 * Counts the numbers of one image beside their energy, Σ x²: so errors are parts of what an image has, and one whose activations are
 * many times as large as those of others does not decide about all.
 */
export function addByEnergy(histogram: Histogram, image: HostArray): void {
  let energy = 0
  for (let i = 0; i < image.length; i++) energy += image[i] * image[i]
  if (energy > 0) histogram.add(image, 1 / energy)
}

/** The part of all numbers that is cut off at each end. */
const OUTERMOST = 1e-4

/** The range by a method that weighs. */
export function rangeBy(method: Exclude<RangeMethod, 'min-max'>, histogram: Histogram): ActivationRange {
  if (histogram.counts.every(count => count === 0)) return histogram.range
  switch (method) {
    case 'percentile':
      return withoutOutermost(histogram)
    case 'mse':
      return narrowedBy(squaredError, histogram)
    case 'entropy':
      return narrowedBy(divergence, histogram)
  }
}

function withoutOutermost({ counts, range, width }: Histogram): ActivationRange {
  const cut = OUTERMOST * counts.reduce((sum, count) => sum + count, 0)
  const skipped = (at: (bin: number) => number): number => {
    let bins = 0
    for (let sum = at(0); sum <= cut && bins < Histogram.bins - 1; sum += at(bins)) bins++
    return bins
  }
  const below = skipped(bin => counts[bin])
  const above = skipped(bin => counts[Histogram.bins - 1 - bin])
  return { low: Math.min(0, range.low + below * width), high: Math.max(0, range.high - above * width) }
}

/** A range is tried in so many widths of either side. */
const TRIALS = 64

/** First the upper end, then the lower, moves towards 0 to where the loss is least. */
function narrowedBy(
  loss: (histogram: Histogram, range: ActivationRange) => number,
  histogram: Histogram,
): ActivationRange {
  let best = histogram.range
  for (const end of ['high', 'low'] as const) {
    const full = histogram.range[end]
    if (full === 0) continue
    let least = Number.POSITIVE_INFINITY
    const others = best
    // Of an eighth, a bin has a level of its own.
    for (let i = TRIALS; i >= TRIALS / 8; i--) {
      const range = { ...others, [end]: (full * i) / TRIALS }
      const found = loss(histogram, range)
      if (found < least) {
        least = found
        best = range
      }
    }
  }
  return best
}

/** Of all numbers, rounded and cut off (Choukroun et al. 2019, arXiv 1902.06822). */
function squaredError(histogram: Histogram, range: ActivationRange): number {
  const { scale, zeroPoint } = scaleOf(range)
  let sum = 0
  histogram.counts.forEach((count, bin) => {
    if (count === 0) return
    const x = histogram.center(bin)
    const q = Math.min(Math.max(Math.round(x / scale) + zeroPoint, 0), UINT8_MOST)
    const error = x - (q - zeroPoint) * scale
    // Within a bin, numbers lie evenly.
    sum += count * error * error
  })
  return sum
}

/**
 * What the distribution loses when levels stand for it, as Kullback and Leibler's divergence (Migacz 2017, '8-bit inference
 * with TensorRT'): what is cut off counts to the last bin that is left, and the bins of a level share evenly what it has.
 */
function divergence(histogram: Histogram, range: ActivationRange): number {
  const { counts, width } = histogram
  const first = Math.round((range.low - histogram.range.low) / width)
  const last = Math.max(first, Math.round((range.high - histogram.range.low) / width) - 1)
  const bins = last - first + 1
  const seen = counts.slice(first, last + 1)
  const whole = seen.slice()
  for (let bin = 0; bin < first; bin++) whole[0] += counts[bin]
  for (let bin = last + 1; bin < Histogram.bins; bin++) whole[bins - 1] += counts[bin]
  const levels = new Float64Array(LEVELS)
  const filled = new Float64Array(LEVELS)
  const levelOf = (bin: number): number => Math.min(LEVELS - 1, Math.floor((bin * LEVELS) / bins))
  seen.forEach((count, bin) => {
    if (whole[bin] === 0) return
    levels[levelOf(bin)] += count
    filled[levelOf(bin)]++
  })
  const total = whole.reduce((sum, count) => sum + count, 0)
  const left = seen.reduce((sum, count) => sum + count, 0)
  if (left === 0) return Number.POSITIVE_INFINITY
  let sum = 0
  whole.forEach((count, bin) => {
    if (count === 0) return
    const level = levelOf(bin)
    const p = count / total
    // A level may hold nothing but what was cut off.
    const q = Math.max(levels[level] / filled[level] / left, 1e-12)
    sum += p * Math.log(p / q)
  })
  return sum
}
