/** @file What is measured of a classifier: loss, accuracy, top-5 accuracy, confusion. Plain numbers from logits. */
import type { Loss } from './training-graph.js'

/** Sums over images, to which batches are added; exact whatever the batch size. */
export class ClassificationMetrics {
  images = 0
  #loss = 0
  #correct = 0
  #top5 = 0
  /** [actual][predicted] counts. */
  readonly confusion: number[][]

  constructor(
    readonly classes: number,
    readonly kind: Loss = 'cross-entropy',
  ) {
    this.confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  }

  /**
   * @param logits [batch, classes]
   * @param labels [batch] class indices
   * @param count how many rows count
   */
  add(logits: ArrayLike<number>, labels: ArrayLike<number>, count: number): void {
    const { classes } = this
    for (let row = 0; row < count; row++) {
      const label = labels[row]
      const own = logits[row * classes + label]
      let best = 0
      let above = 0
      let most = Number.NEGATIVE_INFINITY
      for (let c = 0; c < classes; c++) {
        const value = logits[row * classes + c]
        if (value > most) {
          most = value
          best = c
        }
        if (value > own || (value === own && c < label)) above++
      }
      let sum = 0
      for (let c = 0; c < classes; c++) sum += Math.exp(logits[row * classes + c] - most)
      if (this.kind === 'cross-entropy') {
        this.#loss += Math.log(sum) + most - own
      } else {
        for (let c = 0; c < classes; c++) {
          this.#loss += (Math.exp(logits[row * classes + c] - most) / sum - (c === label ? 1 : 0)) ** 2 / classes
        }
      }
      if (best === label) this.#correct++
      if (above < 5) this.#top5++
      this.confusion[label][best]++
    }
    this.images += count
  }

  /** The mean over the images of the cross-entropy or of the mean squared error, without label smoothing. */
  get loss(): number {
    return this.#loss / this.images
  }
  /** Fraction whose largest logit is the label's. */
  get accuracy(): number {
    return this.#correct / this.images
  }
  /** Fraction whose label is among the five largest. */
  get top5(): number {
    return this.#top5 / this.images
  }
}

/** The number of rows whose largest logit is at the label. */
export function countCorrect(logits: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number {
  let correct = 0
  for (let row = 0; row < labels.length; row++) {
    let best = 0
    for (let c = 1; c < classes; c++) if (logits[row * classes + c] > logits[row * classes + best]) best = c
    if (best === labels[row]) correct++
  }
  return correct
}

/** Softmax of one row of logits. */
export function probabilities(logits: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(logits)
  const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const powers = values.map(value => Math.exp(value - most))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map(power => power / sum)
}
