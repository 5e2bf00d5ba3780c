/** @file Whether a classifier is as sure as it is right: reliability bins and the expected calibration error. */

/** Images to whose prediction the model gave a probability in (`low`, `high`]. */
export interface ReliabilityBin {
  readonly low: number
  readonly high: number
  /** How many; at least 1. */
  readonly images: number
  /** The mean of those probabilities. */
  readonly confidence: number
  /** The fraction whose prediction is right. */
  readonly accuracy: number
}

/** As many as in the paper's tables (Guo et al. 2017, arXiv 1706.04599, section 4). */
const BINS = 15

/** Sums by confidence, over bins of equal width. */
export class Calibration {
  readonly #images = new Float64Array(BINS)
  readonly #confidence = new Float64Array(BINS)
  readonly #correct = new Float64Array(BINS)

  /** @param confidence the probability of the prediction, above 0 and at most 1 */
  add(confidence: number, correct: boolean): void {
    // Of a model that has diverged it is NaN: its loss tells so, here it only must not fail.
    const bin = Math.ceil(confidence * BINS) - 1 || 0
    this.#images[bin]++
    this.#confidence[bin] += confidence
    this.#correct[bin] += correct ? 1 : 0
  }

  /** From the least to the most confident; those without images are left out. */
  get bins(): ReliabilityBin[] {
    return Array.from(this.#images, (images, bin) => ({
      low: bin / BINS,
      high: (bin + 1) / BINS,
      images,
      confidence: this.#confidence[bin] / images,
      accuracy: this.#correct[bin] / images,
    })).filter(({ images }) => images > 0)
  }

  /**
   * The expected calibration error: how far confidence and accuracy are apart in a bin, on average over the images
   * (Guo et al. 2017, equation 3). 0 is perfect.
   */
  get error(): number {
    const { bins } = this
    const total = bins.reduce((sum, { images }) => sum + images, 0)
    return bins.reduce((sum, bin) => sum + (bin.images * Math.abs(bin.accuracy - bin.confidence)) / total, 0)
  }
}
