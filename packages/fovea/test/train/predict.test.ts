/** @file Claims about predictions: in the order of the images, whatever the batch size, once and again. */
import { expect, test, vi } from 'vitest'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { createModel } from '../../src/models/registry.js'
import { openPredictor, predict, predictProbabilities } from '../../src/train/predict.js'
import { stripeClasses, stripes } from './patterns.js'

const engine = referenceEngine()
const model = createModel('resnet8', { input: [8, 8, 3], labels: stripeClasses })
const data = stripes(10)

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

test('a predictor is compiled once and asked again and again, also for fewer images than its batch', async () => {
  const images = new Uint8Array(3 * 8 * 8 * 3)
  data.read([0, 1, 2], images)
  const compile = vi.fn(engine.compile)
  const predictor = await openPredictor(model, { engine: { ...engine, compile }, batchSize: 2 })
  const all = await predictor.probabilities(images)
  expect(all).toEqual(await predictProbabilities(model, images, { engine, batchSize: 2 }))
  expect(await predictor.probabilities(images.subarray(192, 384))).toEqual(all.slice(3, 6))
  expect(compile).toHaveBeenCalledTimes(1)
  await expect(predictor.probabilities(images.subarray(1))).rejects.toThrow('an image of 8×8×3 has 192 values')
  predictor.dispose()
})
