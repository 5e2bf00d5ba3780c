/**
 * @file What is measured of a classifier in one pass: loss, accuracy, top-5 accuracy, confusion and what follows from it
 * class by class, calibration, the worst mistakes. Plain numbers from logits.
 */
import { Calibration } from './calibration.js'
import type { Loss } from './loss.js'

/** An image that was taken for another class than its own. */
export interface Mistake {
  /** Its index in the data set. */
  readonly image: number
  /** Class indices: its own, and the one it was taken for. */
  readonly label: number
  readonly predicted: number
  /** Of the prediction, as the model sees it. */
  readonly probability: number
  readonly loss: number
}

/** So many mistakes are kept one by one. */
const MISTAKES = 40

/** Sums over images, to which batches are added; exact whatever the batch size. */
export class ClassificationMetrics {
  images = 0
  #loss = 0
  #correct = 0
  #top5 = 0
  /** [actual][predicted] counts. */
  readonly confusion: number[][]
  readonly calibration = new Calibration()
  /** The class that each image was taken for. */
  readonly predictions: number[] = []
  /** The worst, highest loss first; 40 at most. */
  readonly mistakes: Mistake[] = []

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
      let loss = 0
      if (this.kind === 'cross-entropy') {
        loss = Math.log(sum) + most - own
      } else {
        for (let c = 0; c < classes; c++) {
          loss += (Math.exp(logits[row * classes + c] - most) / sum - (c === label ? 1 : 0)) ** 2 / classes
        }
      }
      this.#loss += loss
      if (best === label) this.#correct++
      else this.#keep({ image: this.images + row, label, predicted: best, probability: 1 / sum, loss })
      if (above < 5) this.#top5++
      this.predictions.push(best)
      this.confusion[label][best]++
      this.calibration.add(1 / sum, best === label)
    }
    this.images += count
  }

  /** Among the worst mistakes, if it is one; of equal ones the first stays. */
  #keep(mistake: Mistake): void {
    const { mistakes } = this
    if (mistakes.length === MISTAKES && mistakes[MISTAKES - 1].loss >= mistake.loss) return
    const place = mistakes.findLastIndex(({ loss }) => loss >= mistake.loss) + 1
    mistakes.splice(place, 0, mistake)
    mistakes.length = Math.min(mistakes.length, MISTAKES)
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

/** How well one class is recognized; fractions, null where they would be of nothing. */
export interface ClassMetrics {
  readonly label: string
  /** How many images are of it (its support). */
  readonly images: number
  /** Of the images that were taken for it, those that are: null if there were none. */
  readonly precision: number | null
  /** Of its images, those that were recognized: null if it has none. */
  readonly recall: number | null
  /** The harmonic mean of both: null if no image is of it or was taken for it. */
  readonly f1: number | null
}

/**
 * Precision, recall and F1 of each class.
 * @param confusion [actual][predicted] counts
 */
export function classMetrics(
  confusion: readonly (readonly number[])[],
  labels: readonly string[],
): readonly ClassMetrics[] {
  const fraction = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null)
  const predicted = labels.map((_, i) => confusion.reduce((sum, row) => sum + row[i], 0))
  return labels.map((label, i) => {
    const right = confusion[i][i]
    const images = confusion[i].reduce((sum, count) => sum + count, 0)
    return {
      label,
      images,
      precision: fraction(right, predicted[i]),
      recall: fraction(right, images),
      f1: fraction(2 * right, predicted[i] + images),
    }
  })
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
