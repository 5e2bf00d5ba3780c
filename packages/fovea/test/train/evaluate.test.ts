/** @file Claims about measuring: losses and accuracies as defined, whatever the batch size; predictions in order. */
import { describe, expect, test } from 'vitest'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { createModel } from '../../src/models/registry.js'
import { evaluate, predict, predictProbabilities } from '../../src/train/evaluate.js'
import { oneHot } from '../../src/train/labels.js'
import { ClassificationMetrics, countCorrect, probabilities } from '../../src/train/metrics.js'
import { stripeClasses, stripes } from './patterns.js'

const engine = referenceEngine()
const model = createModel('resnet8', { input: [8, 8, 3], labels: stripeClasses })
const data = stripes(10)

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

test('one-hot rows, and a label that is no class', () => {
  expect([...oneHot([1, 0], 3)]).toEqual([0, 1, 0, 1, 0, 0])
  expect(() => oneHot([3], 3)).toThrow('label 3 at 0 is not one of 3 classes')
})

test('an evaluation does not depend on the batch size, also where the last batch is not full', async () => {
  const results = await Promise.all([1, 4, 10].map(batchSize => evaluate(model, data, { engine, batchSize })))
  for (const { loss, accuracy, top5, images, confusion } of results) {
    expect({ accuracy, top5, images, confusion }).toEqual({
      accuracy: results[0].accuracy,
      top5: 1,
      images: 10,
      confusion: results[0].confusion,
    })
    expect(loss).toBeCloseTo(results[0].loss, 6)
  }
})

test('predictions are sorted, name labels, and agree with the probabilities', async () => {
  const images = new Uint8Array(3 * 8 * 8 * 3)
  data.read([0, 1, 2], images)
  const all = await predictProbabilities(model, images, { engine, batchSize: 2 })
  expect(all.length).toBe(9)
  const predictions = await predict(model, images, { engine, top: 2 })
  predictions.forEach((ranked, image) => {
    expect(ranked.length).toBe(2)
    expect(ranked[0].probability).toBeGreaterThanOrEqual(ranked[1].probability)
    for (const { label, probability } of ranked) {
      expect(probability).toBeCloseTo(all[3 * image + stripeClasses.indexOf(label as never)], 6)
    }
  })
  expect(() => predictProbabilities(model, images.subarray(1), { engine })).toThrow(
    'images of 8×8×3 need 192 bytes each',
  )
})
