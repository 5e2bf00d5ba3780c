/** @file The whole way in seconds, on the reference engine: build, train, save, load, predict. Read and run this first. */
import { expect, test } from 'vitest'
import { decodeCheckpoint, encodeCheckpoint, evaluate, predict, referenceEngine, resnet8, train } from '../src/index.js'
import { stripeClasses, stripeData } from './train/patterns.js'

test('a small ResNet learns stripes, is saved as data, and predicts the same when it is loaded', async () => {
  const engine = referenceEngine()
  const model = resnet8({ input: [8, 8, 3], labels: stripeClasses })
  const run = await train(model, {
    data: stripeData,
    engine,
    epochs: 4,
    batchSize: 16,
    optimizer: { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
    schedule: { type: 'one-cycle', peak: 0.1 },
  })
  const { accuracy } = await run.evaluate()
  expect(accuracy).toBeGreaterThan(0.9)

  const file = Buffer.concat(encodeCheckpoint({ model: run.model }))
  const loaded = decodeCheckpoint('model.safetensors', file).model
  expect((await evaluate(loaded, stripeData.test, { engine })).accuracy).toBe(accuracy)

  const image = new Uint8Array(8 * 8 * 3)
  stripeData.test.read([0], image)
  const [[best]] = await predict(loaded, image, { engine })
  expect(best.label).toBe('across')
})
