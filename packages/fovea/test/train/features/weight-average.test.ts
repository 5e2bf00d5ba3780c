/** @file Claims about averages of weights: moving averages and lookahead, against the same computed step by step. */
import { describe, expect, test } from 'vitest'
import { decodeCheckpoint, encodeCheckpoint } from '../../../src/formats/checkpoint.js'
import type { Weights } from '../../../src/models/model.js'
import { Averaging, averageAt, averageSetting, type WeightAverage } from '../../../src/train/features/weight-average.js'
import { train } from '../../../src/train/train.js'
import type { TrainOptions } from '../../../src/train/train-options.js'
import { stripeData } from '../patterns.js'
import { small, stripeRun } from '../small-model.js'

const model = small()

/** The weights after each epoch of a run without an average, of one step each where asked. */
async function history(more: Partial<TrainOptions>) {
  const saved: { weights: Weights; slots: Weights }[] = []
  const run = await train(model, {
    ...stripeRun,
    ...more,
    save: async ({ model: { weights }, training }) => void saved.push({ weights, slots: training!.slots }),
  })
  return { run, saved }
}

/** So that every step ends an epoch, and is saved. */
const oneStep = { batchSize: stripeData.train.length, epochs: 6 }

test('a moving average follows the weights by (1 − decay), is what the run leaves, and changes no weight', async () => {
  const average: WeightAverage = { type: 'moving', decay: 0.5 }
  const plain = await history(oneStep)
  const { run, saved } = await history({ ...oneStep, average })
  for (const name of ['conv.weight', 'bn.running_var']) {
    const expected = Array.from(plain.saved[0].weights.get(name)!)
    for (const [i, { weights, slots }] of saved.entries()) {
      expect(weights.get(name)).toEqual(plain.saved[i].weights.get(name))
      const { weight } = averageAt(average, i + 1, saved.length)
      for (const [j, value] of weights.get(name)!.entries()) expected[j] += weight * (value - expected[j])
      for (const [j, value] of slots.get(`${name}:average`)!.entries()) expect(value).toBeCloseTo(expected[j], 5)
    }
    expect(run.model.weights.get(name)).toEqual(saved.at(-1)!.slots.get(`${name}:average`))
  }
})

test('early steps weigh more than the decay says: a short run does not remember its start', () => {
  const numbers = [1, 2, 10, 100_000].map(step => averageAt({ type: 'moving', decay: 0.999 }, step, 1e6).weight)
  expect(numbers).toEqual([1, 1 - 3 / 12, 1 - 11 / 20, 1 - 0.999].map(weight => expect.closeTo(weight, 12)))
})

test('steps that float16 skipped are none: the first good one fills the average, and turns come after good ones', () => {
  const moving: WeightAverage = { type: 'moving', decay: 0.999 }
  expect(averageAt(moving, 4, 100, 3).weight).toBe(1)
  expect(averageAt(moving, 5, 100, 3)).toEqual(averageAt(moving, 2, 100))
  const lookahead: WeightAverage = { type: 'lookahead', every: 5, decay: 0.8, power: 3 }
  expect(averageAt(lookahead, 5, 100, 1)).toEqual({ weight: 0, back: 0 })
  expect(averageAt(lookahead, 6, 100, 1)).toEqual({ weight: 1, back: 1 })
})

test('before a step has counted, the averages are empty: the weights are kept', () => {
  const [weights, slots] = [0.5, 0].map((value, i) => new Map([[['w', 'w:average'][i], Float32Array.of(value)]]))
  const averaging = new Averaging({ type: 'moving', decay: 0.9 })
  expect([0, 1].map(steps => averaging.kept(weights, slots, steps).get('w')![0])).toEqual([0.5, 0])
})

test('lookahead moves the slow weights every so many steps, and the weights go back to them', async () => {
  const average: WeightAverage = { type: 'lookahead', every: 2, decay: 0.9, power: 1 }
  const { saved } = await history({ ...oneStep, average })
  const [name, slot] = ['conv.weight', 'conv.weight:average']
  // After a turn (steps 2, 4, 6) and at the end both are the same; in between the slow weights rest.
  for (const step of [2, 4, 6]) expect(saved[step - 1].weights.get(name)).toEqual(saved[step - 1].slots.get(slot))
  expect(saved[2].slots.get(slot)).toEqual(saved[1].slots.get(slot))
  expect(saved[2].weights.get(name)).not.toEqual(saved[2].slots.get(slot))
})

test('lookahead is fed by the step: at the turn, between, and at the end of a run that ends between turns', () => {
  const average: WeightAverage = { type: 'lookahead', every: 5, decay: 0.8, power: 3 }
  expect(averageAt(average, 4, 23)).toEqual({ weight: 0, back: 0 })
  expect(averageAt(average, 5, 23)).toEqual({ weight: 1, back: 1 })
  expect(averageAt(average, 10, 20)).toEqual({ weight: expect.closeTo(1 - 0.8 / 8, 12), back: 1 })
  expect(averageAt(average, 23, 23)).toEqual({ weight: 0, back: 1 })
  expect(averageAt(average, 3, 3)).toEqual({ weight: 1, back: 1 })
})

describe.each<WeightAverage>([
  { type: 'moving', decay: 0.9 },
  { type: 'lookahead', every: 3, decay: 0.9, power: 3 },
])('a run with $type', average => {
  test('goes on from a checkpoint to the same bits', async () => {
    const { run, saved } = await history({ average })
    const states: Uint8Array[] = []
    await train(model, {
      ...stripeRun,
      average,
      signal: { aborted: false },
      save: async checkpoint => void states.push(Buffer.concat(encodeCheckpoint(checkpoint))),
    })
    expect(states.length).toBe(saved.length)
    const { model: middle, training } = decodeCheckpoint('saved', states[0])
    const resumed = await train(middle, { ...stripeRun, average, resume: training! })
    expect(resumed.model.weights).toEqual(run.model.weights)
  })
})

test.each([
  [{ type: 'moving', decay: 1 }, 'average.decay: expected a number of at least 0 and below 1, got 1'],
  [
    { type: 'lookahead', every: 0.5, decay: 0.5, power: 1 },
    'average.every: expected a whole number of at least 1, got 0.5',
  ],
  [{ type: 'ema', decay: 0.5 }, "average.type: unknown 'ema'"],
])('%j is refused', (average, message) => {
  expect(() => averageSetting.parse(average, 'average')).toThrow(message)
})
