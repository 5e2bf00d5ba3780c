/** @file Claims about weights that are 0 while a network trains: as many as the schedule says, with every optimizer, for good. */
import { describe, expect, test } from 'vitest'
import { connectionsOf } from '../../../src/compress/connections.js'
import { pruneWeights } from '../../../src/compress/prune-weights.js'
import { decodeCheckpoint, encodeCheckpoint } from '../../../src/formats/checkpoint.js'
import type { Model } from '../../../src/models/model.js'
import { amountAt, type Pruning } from '../../../src/train/features/pruning.js'
import type { OptimizerOptions } from '../../../src/train/optimizers/index.js'
import { train } from '../../../src/train/train.js'
import type { TrainOptions } from '../../../src/train/train-options.js'
import type { Checkpoint } from '../../../src/train/training-state.js'
import { small, stripeRun } from '../small-model.js'

const model = small()

/** The states of a run, step by step. */
async function steps(more: Partial<TrainOptions>, from: Model = model) {
  const saved: Checkpoint[] = []
  const run = await train(from, {
    ...{ ...stripeRun, epochs: 1, saveSeconds: 0 },
    ...more,
    save: async state => void saved.push(state),
  })
  return { run, saved }
}

function shareOfZeros(model: Model): number {
  const layers = connectionsOf(model)
  const sum = (key: 'weights' | 'kept'): number => layers.reduce((total, layer) => total + layer[key], 0)
  return 1 - sum('kept') / sum('weights')
}

/** Whether what is 0 in the one is 0 in the other. */
const staysZero = (before: Model, after: Model): boolean =>
  connectionsOf(before).every(({ name }) => {
    const later = after.weights.get(name)!
    return before.weights.get(name)!.every((value: number, i: number) => value !== 0 || later[i] === 0)
  })

const optimizers: OptimizerOptions[] = [
  { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-3 },
  { type: 'adam' },
  { type: 'adamw', weightDecay: 0.1 },
  { type: 'rmsprop', momentum: 0.9 },
]
const gradual = (more: object = {}) => ({ type: 'gradual', amount: 0.8, times: 3, ...more }) as const

test.each(optimizers)('with $type as many weights are 0 as the schedule says, and stay so', async optimizer => {
  const { saved, run } = await steps({ optimizer, schedule: { type: 'constant', rate: 0.01 }, pruning: gradual() })
  const total = saved.length
  let expected = 0
  for (const [i, { model: now }] of saved.entries()) {
    expected = amountAt({ amount: 0.8, from: 0, until: 0.75, times: 3 }, i, total) ?? expected
    expect(shareOfZeros(now), `step ${i + 1}`).toBeCloseTo(expected, 2)
    if (i > 0) expect(staysZero(saved[i - 1].model, now)).toBe(true)
  }
  expect(shareOfZeros(run.model)).toBeCloseTo(0.8, 2)
  expect(staysZero(saved[total - 1].model, run.model)).toBe(true)
})

test.each([
  ['a moving average', { average: { type: 'moving', decay: 0.9 } }],
  ['lookahead', { average: { type: 'lookahead', every: 2, decay: 0.9, power: 1 } }],
  ['parts of a batch, and gradients that are cut', { accumulate: 2, clipNorm: 0.1 }],
  ['float16', { precision: 'mixed_float16' }],
] as const)(
  'so they do with %s, by each criterion, and a run that goes on ends with the same bits',
  async (_, more) => {
    for (const importance of ['magnitude', 'movement', 'taylor'] as const) {
      const options = { ...more, pruning: gradual({ importance }) } as Partial<TrainOptions>
      const { saved, run } = await steps(options)
      expect(shareOfZeros(run.model), importance).toBeCloseTo(0.8, 2)
      const file = Buffer.concat(encodeCheckpoint(saved[Math.floor(saved.length / 2)]))
      const { model: middle, training } = decodeCheckpoint('saved', file)
      const rest = await steps({ ...options, resume: training! }, middle)
      for (const [name, values] of run.model.weights) {
        // A zero's sign is not kept, and means nothing.
        expect(
          rest.run.model.weights.get(name)!.every((value: number, i: number) => value === values[i]),
          name,
        ).toBe(true)
      }
    }
  },
)

test('the schedule is cubic, from one part of the run to another, and ends with all', () => {
  const at = (done: number) => amountAt({ amount: 0.8, from: 0.1, until: 0.6, times: 5 }, done, 100)
  expect([0, 9, 11, 25, 61].map(at)).toEqual(new Array(5).fill(undefined))
  expect([10, 20, 30, 40, 50, 60].map(at)).toEqual(
    [0, 1 - 0.8 ** 3, 1 - 0.6 ** 3, 1 - 0.4 ** 3, 1 - 0.2 ** 3, 1].map(share => expect.closeTo(0.8 * share, 12)),
  )
  expect(amountAt({ amount: 0.8, from: 0, until: 1, times: 5 }, 99, 100), 'the last step has it').toBe(0.8)
  expect(amountAt({ amount: 0.8, from: 0.9, until: 1, times: 5 }, 0, 1), 'a run of one step').toBe(0.8)
})

test('movement is the sum of what each step moves a weight away from 0', async () => {
  const schedule = { type: 'constant', rate: 0.1 } as const
  const pruning = gradual({ importance: 'movement', from: 0.9, until: 1 })
  const { saved } = await steps({ optimizer: { type: 'sgd' }, schedule, pruning, epochs: 1 })
  const name = 'fc.weight'
  const weights = [model, ...saved.map(({ model }) => model)].map(({ weights }) => weights.get(name)!)
  for (let i = 0; i < weights[0].length; i++) {
    let score = 0
    for (let step = 0; step < 5; step++) score += weights[step][i] * ((weights[step + 1][i] - weights[step][i]) / 0.1)
    expect(saved[4].training!.slots.get(`${name}:scores`)![i]).toBeCloseTo(score, 5)
  }
})

test('a pattern of 2:4 is reached step by step', async () => {
  const { saved, run } = await steps({ pruning: { type: 'gradual', pattern: '2:4', times: 3 } })
  // Of three inputs no four can be made; of eight, two.
  const rows = Array.from({ length: 6 }, (_, i) => run.model.weights.get('fc.weight')!.slice(4 * i, 4 * i + 4))
  for (const row of rows) expect(row.filter(value => value === 0)).toHaveLength(2)
  expect(run.model.weights.get('conv.weight')!.every(value => value !== 0)).toBe(true)
  expect(saved.every(({ model: now }, i) => i === 0 || staysZero(saved[i - 1].model, now))).toBe(true)
})

describe('kept', () => {
  test('what is 0 stays 0, and all else trains', async () => {
    const { model: sparse } = await pruneWeights(model, { amount: 0.5, engine: stripeRun.engine })
    const { run } = await steps({ pruning: { type: 'kept' } }, sparse)
    expect(shareOfZeros(run.model)).toBe(shareOfZeros(sparse))
    for (const { name } of connectionsOf(sparse)) {
      const [before, after] = [sparse.weights.get(name)!, run.model.weights.get(name)!]
      expect(staysZero(sparse, run.model)).toBe(true)
      expect(after, name).not.toEqual(before)
    }
  })

  test('of a model without zeros changes nothing', async () => {
    const [plain, kept] = [await steps({}), await steps({ pruning: { type: 'kept' } })]
    expect(kept.run.model.weights).toEqual(plain.run.model.weights)
  })
})

test.each([
  [{ type: 'gradual' }, 'pruning.amount: missing; expected a number above 0 and below 1'],
  [{ type: 'gradual', amount: 1 }, 'pruning.amount: expected a number above 0 and below 1'],
  [{ type: 'gradual', amount: 0.5, pattern: '2:4' }, 'pruning.amount: a pattern of 2:4 says it: leave it out'],
  [{ type: 'gradual', amount: 0.5, from: 0.5, until: 0.5 }, 'pruning.until: expected more than 0.5'],
  [{ type: 'gradually' }, "pruning.type: unknown 'gradually'; did you mean 'gradual'?"],
] as const)('%j is refused', async (pruning, message) => {
  await expect(steps({ pruning: pruning as Pruning })).rejects.toThrow(message)
})

test('early stopping, which may leave a model of the middle, is refused beside it', async () => {
  await expect(steps({ pruning: gradual(), earlyStopping: { patience: 1 } })).rejects.toThrow(
    'earlyStopping: a run that prunes gradually has its last weights at its end: leave it out',
  )
})
