/** @file Claims about the settings of a run: what a recipe fills in, and which runs can go on. */
import { describe, expect, test } from 'vitest'
import { createModel } from '../../src/models/registry.js'
import { recipeNames, recipeSettings, recipes } from '../../src/train/recipes.js'
import { peakRate } from '../../src/train/schedules/index.js'
import { checkSettings, resolveSettings } from '../../src/train/settings.js'

const resnet = createModel('resnet20')
const cnn = createModel('cnn')

test("ResNets take the one-cycle recipe, the Keras tutorials' network takes theirs", () => {
  expect(resolveSettings(resnet, 50_000, {})).toEqual({
    batchSize: 128,
    optimizer: { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
    schedule: { type: 'one-cycle', peak: 0.4, warmup: 0.2, startDivisor: 10, endDivisor: 10_000 },
    loss: 'cross-entropy',
    labels: 'index',
    labelSmoothing: 0.1,
    augmentation: { crop: { padding: 4 }, flip: 'random' },
    precision: 'float32',
    seed: 0,
  })
  expect(resolveSettings(cnn, 50_000, {})).toMatchObject({
    batchSize: 32,
    optimizer: { type: 'adam' },
    schedule: { type: 'constant', rate: 0.001 },
    labels: 'one-hot',
    labelSmoothing: 0,
    augmentation: {},
  })
})

test('mixed images are fed with rows of labels, whatever the recipe says', () => {
  const mix = { type: 'mixup', alpha: 0.2 } as const
  expect(resolveSettings(resnet, 1000, { augmentation: { mix } }).labels).toBe('one-hot')
  expect(resolveSettings(resnet, 1000, { augmentation: { mix }, labels: 'index' }).labels).toBe('one-hot')
  expect(resolveSettings(resnet, 1000, { augmentation: { flip: 'random' } }).labels).toBe('index')
})

test('a smaller batch takes proportionally smaller steps, a larger one none larger, a given rate stays', () => {
  const rate = (batchSize: number, more = {}) => peakRate(resolveSettings(resnet, 1e6, { batchSize, ...more }).schedule)
  expect([32, 128, 512].map(batch => rate(batch))).toEqual([0.1, 0.4, 0.4])
  expect(rate(32, { learningRate: 0.3 })).toBe(0.3)
})

test('a batch is never larger than the data, unless it is asked for', () => {
  expect(resolveSettings(resnet, 60, {}).batchSize).toBe(60)
  expect(resolveSettings(resnet, 60, { batchSize: 64 }).batchSize).toBe(64)
})

test("with an optimizer of one's own nothing else is added", () => {
  const own = { optimizer: { type: 'adam' }, schedule: { type: 'constant', rate: 0.01 } } as const
  expect(resolveSettings(resnet, 1000, own)).toMatchObject({
    ...own,
    labelSmoothing: 0,
    augmentation: {},
    labels: 'index',
  })
})

test.each(recipeNames)('recipe %s makes settings for any image', name => {
  for (const imageSize of [1, 8, 32, 224]) recipeSettings(name, { imageSize, batchSize: recipes[name].batchSize })
})

describe('what makes no run is named', () => {
  const adam = { type: 'adam' } as const
  test.each([
    [{ optimizer: adam }, 'give optimizer and schedule together'],
    [{ optimizer: adam, schedule: { type: 'constant', rate: 1 }, recipe: 'keras' }, 'not both'],
    [{ recipe: 'fast' }, "unknown recipe 'fast'"],
  ])('%j', (given, message) => {
    expect(() => resolveSettings(resnet, 1000, given as never)).toThrow(message)
  })

  const settings = resolveSettings(resnet, 1000, {})
  test.each([0, 1.5, -1])('%s epochs', epochs => {
    expect(() => checkSettings(settings, epochs, 'data', undefined)).toThrow('epochs must be a whole number')
  })

  const state = {
    settings: { ...settings, epochs: 4 } as never,
    data: 'data',
    ...{ epoch: 1, step: 0, lossSum: 0, correct: 0, history: [], slots: new Map() },
  }
  test('a run goes on with the same settings and images only', () => {
    checkSettings(settings, 4, 'data', state)
    expect(() => checkSettings(settings, 5, 'data', state)).toThrow('started with epochs 4, it cannot go on with 5')
    expect(() => checkSettings({ ...settings, seed: 1 }, 4, 'data', state)).toThrow('started with seed 0')
    expect(() => checkSettings(settings, 4, 'other', state)).toThrow('the training images are not those')
  })
})
