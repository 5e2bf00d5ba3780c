/** @file Claims about early stopping: when a run ends, and with which weights. */
import { expect, test } from 'vitest'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { bestEpoch, earlyStoppingSetting, stopsEarly } from '../../src/train/early-stopping.js'
import { train } from '../../src/train/train.js'
import { stripeData } from './patterns.js'
import { small } from './small-model.js'

const history = (...losses: number[]) =>
  losses.map((validationLoss, i) => ({ epoch: i + 1, loss: 1, accuracy: 0.5, validationLoss }))

test('the best epoch is the first of the lowest loss; small falls do not count', () => {
  expect(bestEpoch(history(3, 2, 2, 2.5), 0)).toBe(1)
  expect(bestEpoch(history(3, 2.95, 2.5, 2.45), 0.1)).toBe(2)
})

test('a run stops after as many epochs without a lower loss as it has patience', () => {
  expect(stopsEarly(history(3, 2, 2.1), { patience: 2, minimumDelta: 0 })).toBe(false)
  expect(stopsEarly(history(3, 2, 2.1, 2.2), { patience: 2, minimumDelta: 0 })).toBe(true)
  expect(stopsEarly(history(3, 2, 2.1, 1.9), { patience: 2, minimumDelta: 0 })).toBe(false)
})

test('a run that diverges stops, and leaves the weights of its best epoch, also when it was resumed in between', async () => {
  const options = {
    data: stripeData,
    engine: referenceEngine(),
    epochs: 12,
    batchSize: 16,
    // A rate so high that the loss soon grows.
    optimizer: { type: 'sgd', momentum: 0.9 },
    schedule: { type: 'constant', rate: 1.5 },
    earlyStopping: { patience: 2 },
  } as const
  const saved: Parameters<NonNullable<Parameters<typeof train>[1]['save']>>[] = []
  const run = await train(small(), { ...options, save: async (...arguments_) => void saved.push(arguments_) })
  expect(run.interrupted).toBe(false)
  expect(run.history.length).toBeLessThan(12)
  const best = bestEpoch(run.history, 0)
  expect(best).toBe(run.history.length - 3)
  expect(run.model.weights).toEqual(saved[best][1].best!.weights)
  expect((await run.evaluate()).loss).toBeCloseTo(run.history[best].validationLoss!, 6)

  const [{ model, training }] = saved[run.history.length - 2]
  const resumed = await train(model, { ...options, resume: training! })
  expect(resumed.history).toEqual(run.history)
  expect(resumed.model.weights).toEqual(run.model.weights)
})

test.each([
  [{ patience: 0 }, 'earlyStopping.patience: expected a whole number of at least 1, got 0'],
  [{ patience: 3, minimumDelta: -1 }, 'earlyStopping.minimumDelta: expected a number of at least 0, got -1'],
])('%j is refused', (stopping, message) => {
  expect(() => earlyStoppingSetting.parse(stopping, 'earlyStopping')).toThrow(message)
})
