/** @file Claims about plain JavaScript around a training: callbacks, what a run goes on from, and the functions beside `train`. */
import { describe, expect, test } from 'vitest'
import {
  findLearningRate,
  learningRateAt,
  referenceEngine,
  resolveSettings,
  train,
  trainingGraph,
} from '../../src/index.js'
import { stripeData } from '../train/patterns.js'
import { stripeModel, stripeRun } from '../train/small-model.js'
import { loose, refused } from './refused.js'

const engine = referenceEngine()
const training = (more: object) => () => loose(train)(stripeModel, { ...stripeRun, ...more })

describe('callbacks', () => {
  const callbacks = ['onStart', 'onStep', 'onEpoch', 'save'] as const
  test.each(callbacks)('what %s throws, at once or later, is what the run ends with', async name => {
    const now = () => {
      throw new Error('no more')
    }
    const later = async () => {
      await Promise.resolve()
      throw new Error('no more')
    }
    for (const callback of [now, later]) {
      await expect(train(stripeModel, { ...stripeRun, [name]: callback })).rejects.toThrow('no more')
    }
  })

  test('the next step waits for a promise of the last', async () => {
    let waiting = 0
    await train(stripeModel, {
      ...stripeRun,
      epochs: 1,
      onStep: async () => {
        expect(++waiting).toBe(1)
        await new Promise(resolve => setImmediate(resolve))
        waiting--
      },
    })
    expect(waiting).toBe(0)
  })

  test('a search for a rate ends with it too', async () => {
    const onStep = async () => Promise.reject(new Error('no more'))
    await expect(findLearningRate(stripeModel, { data: stripeData, engine, batchSize: 8, onStep })).rejects.toThrow(
      'no more',
    )
  })
})

describe('what a run goes on from', () => {
  const { batchSize, optimizer, schedule } = stripeRun
  const settings = resolveSettings(stripeModel, 96, { batchSize, optimizer, schedule })
  const state = {
    data: stripeData.train.fingerprint,
    epoch: 1,
    step: 0,
    lossSum: 0,
    correct: 0,
    history: [],
    slots: new Map(),
  }
  const goOn = (was: object, now: object = {}) =>
    training({ ...now, resume: { ...state, settings: { ...settings, epochs: 2, ...was } } })
  test.each<[string, () => unknown, string]>([
    ['other settings', goOn({ batchSize: 16 }), 'batchSize: the run was started with 16, it cannot go on with 8'],
    [
      'settings that it has no more',
      goOn({ clipNorm: 3 }),
      'clipNorm: the run was started with 3, it cannot go on with none',
    ],
    [
      'settings that it did not have',
      goOn({}, { clipNorm: 3 }),
      'clipNorm: the run was started with none, it cannot go on with 3',
    ],
    [
      'settings that are none',
      goOn({ optimizer: { type: 'lion' } }),
      "resume: the run cannot go on: its settings are none of this version of Fovea (optimizer.type: unknown 'lion'",
    ],
  ])('%s', (_, call, message) => refused(call, message))

  test('a state that was saved before a setting had a default of its own goes on', async () => {
    const { warmupSteps: _, ...before } = settings.schedule
    // Refused for its slots, which are none, and not for its settings.
    await refused(goOn({ schedule: before }), "the state to go on from lacks 'conv1.weight:velocity'")
  })
})

describe('findLearningRate', () => {
  const search = (more: object) => () => loose(findLearningRate)(stripeModel, { data: stripeData, engine, ...more })
  test.each<[string, () => unknown, string]>([
    ['no data', search({ data: undefined }), 'data: missing; expected data sets by name'],
    ['a misspelt option', search({ low: 1 }), "low: unknown option; did you mean 'lowest'?"],
    ['a schedule', search({ schedule: { type: 'constant', rate: 1 } }), 'schedule: unknown option'],
    ['too few steps', search({ steps: 10 }), 'steps: expected a whole number of at least 50, got 10'],
    ['rates that fall', search({ lowest: 1, highest: 0.1 }), 'lowest: rates must grow: from 1 to 0.1 they do not'],
    ['no model', () => loose(findLearningRate)(null, {}), 'model: expected a model'],
  ])('%s', (_, call, message) => refused(call, message))
})

test.each<[string, () => unknown, string]>([
  [
    'a graph of no batch',
    () => loose(trainingGraph)(stripeModel.graph, { optimizer: { type: 'sgd' } }),
    'batchSize: missing; expected a whole number of at least 1',
  ],
  [
    'a step that is none',
    () => learningRateAt({ type: 'constant', rate: 1 }, -1, 10),
    'step: expected a whole number of at least 0, got -1',
  ],
  [
    'a run of no step',
    () => learningRateAt({ type: 'constant', rate: 1 }, 0, 0),
    'steps: expected a whole number of at least 1, got 0',
  ],
  ['settings of no model', () => loose(resolveSettings)(undefined, 100, {}), 'model: missing; expected a model'],
  ['settings that are none', () => loose(resolveSettings)(stripeModel, 100, { epochs: 3 }), 'epochs: unknown option'],
])('%s', (_, call, message) => refused(call, message))
