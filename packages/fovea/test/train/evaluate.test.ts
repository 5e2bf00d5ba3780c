/** @file Claims about measuring: losses and accuracies as defined, whatever the batch size; predictions in order. */
import { expect, test } from 'vitest'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { createModel } from '../../src/models/registry.js'
import { evaluate, predict, predictProbabilities } from '../../src/train/evaluate.js'
import { oneHot } from '../../src/train/labels.js'
import { stripeClasses, stripes } from './patterns.js'

const engine = referenceEngine()
const model = createModel('resnet8', { input: [8, 8, 3], labels: stripeClasses })
const data = stripes(10)

test('one-hot rows, and a label that is no class', () => {
  expect([...oneHot([1, 0], 3)]).toEqual([0, 1, 0, 1, 0, 0])
  expect(() => oneHot([3], 3)).toThrow('labels.0: expected the index of one of 3 classes (0 to 2), got 3')
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
  await expect(predictProbabilities(model, images.subarray(1), { engine })).rejects.toThrow(
    'images: an image of 8×8×3 has 192 values, got 575 in all',
  )
})
