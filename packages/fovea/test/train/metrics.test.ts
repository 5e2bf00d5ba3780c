/** @file Claims about metrics: each as its definition says, on cases small enough to count by hand, and on any. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Calibration } from '../../src/train/calibration.js'
import { ClassificationMetrics, classMetrics, countCorrect, probabilities } from '../../src/train/metrics.js'

describe('metrics', () => {
  const logits = [2, 1, 0, 0, 3, 3, -1, -2, -3]
  const metrics = new ClassificationMetrics(3)
  metrics.add(logits, [0, 2, 1], 3)

  test('loss is the mean cross-entropy', () => {
    const each = [
      Math.log(Math.exp(2) + Math.exp(1) + 1) - 2,
      Math.log(1 + 2 * Math.exp(3)) - 3,
      Math.log(Math.exp(-1) + Math.exp(-2) + Math.exp(-3)) + 2,
    ]
    expect(metrics.loss).toBeCloseTo(each.reduce((a, b) => a + b) / 3, 12)
  })

  test('the first of equal logits is the prediction, in accuracy and confusion alike', () => {
    expect(metrics.accuracy).toBeCloseTo(1 / 3, 12)
    expect(metrics.confusion).toEqual([
      [1, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
    ])
    expect(countCorrect(logits, [0, 2, 1], 3)).toBe(1)
  })

  test('rows beyond the count do not count', () => {
    const some = new ClassificationMetrics(3)
    some.add(logits, [0, 2, 1], 1)
    expect(some).toMatchObject({ images: 1, accuracy: 1 })
  })

  test('top 5 counts a label among the five largest', () => {
    const seven = new ClassificationMetrics(7)
    const row = [6, 5, 4, 3, 2, 1, 0]
    seven.add([...row, ...row], [4, 5], 2)
    expect(seven.top5).toBe(0.5)
  })

  test('mean squared error is between softmax and one-hot rows, over all elements', () => {
    const squared = new ClassificationMetrics(3, 'mean-squared-error')
    squared.add([0, 0, 0], [1], 1)
    expect(squared.loss).toBeCloseTo((1 / 9 + 4 / 9 + 1 / 9) / 3, 12)
  })

  test('softmax of large logits does not overflow', () => {
    expect([...probabilities([1000, 1000])]).toEqual([0.5, 0.5])
  })
})

describe('precision, recall and F1', () => {
  test('of a matrix counted by hand', () => {
    const confusion = [
      [6, 2, 0],
      [3, 9, 0],
      [1, 0, 4],
    ]
    expect(classMetrics(confusion, ['cat', 'dog', 'owl'])).toEqual([
      { label: 'cat', images: 8, precision: 6 / 10, recall: 6 / 8, f1: 12 / 18 },
      { label: 'dog', images: 12, precision: 9 / 11, recall: 9 / 12, f1: 18 / 23 },
      { label: 'owl', images: 5, precision: 1, recall: 4 / 5, f1: 8 / 9 },
    ])
  })

  test('a class that is never predicted has no precision, one without images no recall, one without both nothing', () => {
    const confusion = [
      [0, 3, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]
    expect(classMetrics(confusion, ['a', 'b', 'c'])).toEqual([
      { label: 'a', images: 3, precision: null, recall: 0, f1: 0 },
      { label: 'b', images: 0, precision: 0, recall: null, f1: 0 },
      { label: 'c', images: 0, precision: null, recall: null, f1: null },
    ])
  })

  const matrix = fc
    .integer({ min: 2, max: 6 })
    .chain(n => fc.array(fc.array(fc.nat(20), { minLength: n, maxLength: n }), { minLength: n, maxLength: n }))

  test('accuracy is the mean recall by images, F1 the harmonic mean of the other two', () => {
    fc.assert(
      fc.property(matrix, confusion => {
        const classes = classMetrics(confusion, confusion.map(String))
        const images = classes.reduce((sum, { images }) => sum + images, 0)
        const right = confusion.reduce((sum, row, i) => sum + row[i], 0)
        const recalled = classes.reduce((sum, { recall, images }) => sum + (recall ?? 0) * images, 0)
        expect(recalled).toBeCloseTo(right, 9)
        expect(images).toBe(confusion.flat().reduce((a, b) => a + b, 0))
        for (const { precision, recall, f1 } of classes) {
          if (precision && recall) expect(f1).toBeCloseTo((2 * precision * recall) / (precision + recall), 12)
        }
      }),
    )
  })
})

describe('calibration', () => {
  const of = (...images: [confidence: number, correct: boolean][]): Calibration => {
    const calibration = new Calibration()
    for (const image of images) calibration.add(...image)
    return calibration
  }

  test('the error of bins counted by hand', () => {
    // 0.62 and 0.64 share the bin from 9/15 to 10/15, 0.95 and 0.99 the last one.
    const { bins, error } = of([0.62, true], [0.64, false], [0.95, true], [0.99, true])
    expect(bins).toEqual([
      { low: 9 / 15, high: 10 / 15, images: 2, confidence: 0.63, accuracy: 0.5 },
      { low: 14 / 15, high: 1, images: 2, confidence: 0.97, accuracy: 1 },
    ])
    expect(error).toBeCloseTo(0.5 * 0.13 + 0.5 * 0.03, 12)
  })

  test('a bin has its upper edge and not its lower one', () => {
    expect(of([1 / 15, true], [2 / 15, true], [1, true]).bins.map(({ high }) => high)).toEqual([1 / 15, 2 / 15, 1])
  })

  test('of right predictions the error is how unsure they are, of wrong ones how sure', () => {
    const confidences = fc.array(fc.double({ min: 1e-3, max: 1, noNaN: true }), { minLength: 1 })
    fc.assert(
      fc.property(confidences, all => {
        const mean = all.reduce((a, b) => a + b) / all.length
        expect(of(...all.map(p => [p, true] as [number, boolean])).error).toBeCloseTo(1 - mean, 9)
        expect(of(...all.map(p => [p, false] as [number, boolean])).error).toBeCloseTo(mean, 9)
      }),
    )
  })

  test('the error lies between 0 and 1, and no order changes it', () => {
    const image = fc.tuple(fc.double({ min: 1e-3, max: 1, noNaN: true }), fc.boolean())
    fc.assert(
      fc.property(fc.array(image, { minLength: 1 }), images => {
        const { error, bins } = of(...images)
        expect(error).toBeGreaterThanOrEqual(0)
        expect(error).toBeLessThanOrEqual(1)
        expect(bins.reduce((sum, { images }) => sum + images, 0)).toBe(images.length)
        expect(of(...images.toReversed()).error).toBeCloseTo(error, 9)
      }),
    )
  })

  test('comes with the other metrics, of the probability of the prediction', () => {
    const metrics = new ClassificationMetrics(2)
    metrics.add([Math.log(0.8), Math.log(0.2), Math.log(0.3), Math.log(0.7)], [0, 0], 2)
    expect(metrics.calibration.error).toBeCloseTo(0.5 * 0.2 + 0.5 * 0.7, 12)
  })

  test('of a model that has diverged nothing fails here', () => {
    const metrics = new ClassificationMetrics(2)
    metrics.add([Number.NaN, Number.NaN], [1], 1)
    expect(metrics.loss).toBeNaN()
    expect(metrics.calibration.bins.length).toBe(1)
  })
})

describe('the worst mistakes', () => {
  /** Two classes: image `i` of class 0, whose loss is that of the logits (0, margins[i]). */
  const of = (margins: readonly number[]) => {
    const metrics = new ClassificationMetrics(2)
    for (const margin of margins) metrics.add([0, margin], [0], 1)
    return metrics.mistakes
  }

  test('stand highest loss first, with the image, what it was taken for and how surely', () => {
    const mistakes = of([1, -5, 3, 2])
    expect(mistakes.map(({ image }) => image)).toEqual([2, 3, 0])
    const probability = Math.exp(3) / (1 + Math.exp(3))
    expect(mistakes[0]).toMatchObject({ image: 2, label: 0, predicted: 1 })
    expect(mistakes[0].probability).toBeCloseTo(probability, 12)
    expect(mistakes[0].loss).toBeCloseTo(-Math.log(1 - probability), 12)
  })

  test('are the 40 of highest loss, of equal ones the first, whatever their order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 20 }), { maxLength: 200 }), margins => {
        const expected = margins
          .map((margin, image) => ({ margin, image }))
          .filter(({ margin }) => margin > 0)
          .sort((a, b) => b.margin - a.margin || a.image - b.image)
          .slice(0, 40)
        expect(of(margins).map(({ image }) => image)).toEqual(expected.map(({ image }) => image))
      }),
    )
  })
})
