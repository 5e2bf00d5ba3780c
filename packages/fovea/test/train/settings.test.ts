/** @file Claims about the settings of a run: what a recipe fills in, and which runs can go on. */
import { describe, expect, test } from 'vitest'
import { createModel } from '../../src/models/registry.js'
import { recipeNames, recipeSettings, recipes } from '../../src/train/recipes/index.js'
import { peakRate } from '../../src/train/schedules/index.js'
import { checkSettings, resolveSettings } from '../../src/train/settings.js'

const resnet = createModel('resnet20')
const cnn = createModel('cnn')

test("ResNets take the one-cycle recipe, the Keras tutorials' network takes theirs", () => {
  expect(resolveSettings(resnet, 50_000, {})).toEqual({
    batchSize: 128,
    optimizer: { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
    schedule: { type: 'one-cycle', peak: 0.4, warmup: 0.2, startDivisor: 10, endDivisor: 10_000, warmupSteps: 0 },
    groups: [],
    accumulate: 1,
    normStatistics: 'batch',
    loss: 'cross-entropy',
    labels: 'index',
    labelSmoothing: 0.1,
    augmentation: { crop: { padding: 4, fill: 'zero' }, flip: 'random' },
    precision: 'float32',
    seed: 0,
    testTimeAugmentation: 'none',
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

test('a single value of a recipe can be another, and what is optional be left out', () => {
  const override = { 'optimizer.momentum': 0.8, labelSmoothing: 0, 'augmentation.flip': 'none' }
  const settings = resolveSettings(resnet, 50_000, { override })
  expect(settings).toEqual({
    ...resolveSettings(resnet, 50_000, {}),
    optimizer: { type: 'sgd', momentum: 0.8, nesterov: true, weightDecay: 5e-4 },
    labelSmoothing: 0,
    augmentation: { crop: { padding: 4, fill: 'zero' } },
  })
  const milestone = resolveSettings(resnet, 50_000, { recipe: 'paper', override: { 'schedule.milestones.1': 0.9 } })
  expect(milestone.schedule).toMatchObject({ milestones: [0.5, 0.9] })
  // The recipe itself is as it was.
  expect(resolveSettings(resnet, 50_000, { recipe: 'paper' }).schedule).toMatchObject({ milestones: [0.5, 0.75] })
})

test.each([
  [{ 'optimizer.momentun': 0.8 }, "override.optimizer.momentun: unknown setting; did you mean 'optimizer.momentum'?"],
  [{ 'batchSize.x': 1 }, 'override.batchSize.x: unknown setting'],
  [
    { 'optimizer.momentum': 'high' },
    "override.optimizer.momentum: expected a number of at least 0 and below 1, got 'high'",
  ],
  [{ optimizer: 1 }, 'override.optimizer: expected one of its parts, such as optimizer.momentum, got 1'],
  [{ 'optimizer.momentum': 'none' }, "got 'none'"],
  [{ 'optimizer.momentum': 7 }, 'override.optimizer.momentum: expected a number of at least 0 and below 1, got 7'],
  [{ 'optimizer.type': 'adam' }, 'override.optimizer.type: unknown setting'],
] as const)('%j is no value of a setting', (override, message) => {
  expect(() => resolveSettings(resnet, 50_000, { override })).toThrow(message)
})

test('of few images, batches are as small as it takes to leave out next to none', () => {
  const recipe = 'finetune' // of 32
  const batchOf = (images: number) => resolveSettings(resnet, images, { recipe }).batchSize
  expect([10, 32, 47, 63, 95, 300, 320, 1000].map(batchOf)).toEqual([10, 32, 23, 31, 31, 30, 32, 32])
  expect(resolveSettings(resnet, 47, { recipe, batchSize: 32 }).batchSize).toBe(32)
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

test('speednet takes the fast recipe, whose numbers are those of its paper, for a loss that is a mean', () => {
  // There: the rate 11.5 / (1024 · (1 + 1 / 0.15)) for a sum over 1,024 images; a decay of 0.0153 / (1 + 1 / 0.15) a step.
  const { optimizer, schedule, groups, average } = resolveSettings(createModel('speednet'), 50_000, {})
  const gain = 1 + 1 / 0.15
  expect(schedule).toEqual({
    type: 'triangular',
    peak: expect.closeTo(11.5 / gain, 12),
    warmup: 0.23,
    start: 0.2,
    end: 0.07,
    warmupSteps: 0,
  })
  const peak = peakRate(schedule)
  const decayed = 0.0153 / gain
  expect(optimizer).toEqual({
    type: 'sgd',
    momentum: 0.85,
    nesterov: true,
    weightDecay: expect.closeTo(decayed / peak, 12),
  })
  expect(groups).toEqual([
    { match: '*.norm?.bias', rate: 64, weightDecay: expect.closeTo(decayed / (64 * peak), 12), from: 0 },
    { match: 'whiten.bias', rate: 1, weightDecay: expect.closeTo(decayed / peak, 12), from: 0, until: 3 },
  ])
  expect(average).toEqual({ type: 'lookahead', every: 5, decay: expect.closeTo(0.7738, 4), power: 3 })
})

test('fine-tuning trains the head first, then every stage, the earlier the slower', () => {
  const { groups } = resolveSettings(createModel('resnet50', { input: [64, 64, 3] }), 100, { recipe: 'finetune' })
  expect(groups.map(({ match, rate, from }) => [match, rate, from])).toEqual([
    ['fc.weight', 1, 0],
    ['fc.bias', 1, 0],
    ['layer4.*', 0.7, 1],
    ['layer3.*', 0.49, 1],
    ['layer2.*', 0.343, 1],
    ['layer1.*', 0.24, 1],
    ['bn1.*', 0.168, 1],
    ['conv1.*', 0.118, 1],
  ])
  const names = resolveSettings(createModel('efficientnet-b0'), 100, { recipe: 'finetune' }).groups
  expect(names.map(({ match }) => match).slice(0, 4)).toEqual([
    'classifier.1.weight',
    'classifier.1.bias',
    'features.8.*',
    'features.7.*',
  ])
})

test('what is frozen by pattern comes before the groups of the recipe', () => {
  const { groups } = resolveSettings(createModel('speednet'), 1000, { freeze: ['group1.*'] })
  expect(groups[0]).toEqual({ match: 'group1.*', rate: 0, from: 0 })
  expect(groups.length).toBe(3)
})

test.each(recipeNames)('recipe %s makes settings for any image', name => {
  for (const size of [8, 32, 224]) {
    const model = createModel('resnet20', { input: [size, size, 3] })
    recipeSettings(name, model, { batchSize: recipes[name].batchSize })
  }
})

describe('what makes no run is named', () => {
  const adam = { type: 'adam' } as const
  test.each([
    [{ optimizer: adam }, 'give optimizer and schedule together'],
    [{ optimizer: adam, schedule: { type: 'constant', rate: 1 }, recipe: 'keras' }, 'not both'],
    [{ recipe: 'fats' }, "recipe: unknown 'fats'; did you mean 'fast'"],
  ])('%j', (given, message) => {
    expect(() => resolveSettings(resnet, 1000, given as never)).toThrow(message)
  })

  const settings = resolveSettings(resnet, 1000, {})
  test.each([0, 1.5, -1])('%s epochs', epochs => {
    expect(() => checkSettings(resnet, settings, epochs, { data: 'data' }, undefined)).toThrow(
      'epochs: expected a whole number of at least 1',
    )
  })

  const images = { data: 'data', heldOut: 'held out' }
  const state = {
    settings: { ...settings, epochs: 4 } as never,
    ...images,
    ...{ epoch: 1, step: 0, lossSum: 0, correct: 0, history: [], slots: new Map() },
  }
  test('a run goes on with the same settings and images only', () => {
    checkSettings(resnet, settings, 4, images, state)
    const goOn = (epochs: number, seed = 0, now: object = {}) =>
      checkSettings(resnet, { ...settings, seed }, epochs, { ...images, ...now }, state)
    expect(() => goOn(5)).toThrow('epochs: the run was started with 4, it cannot go on with 5')
    expect(() => goOn(4, 1)).toThrow('seed: the run was started with 0')
    expect(() => goOn(4, 0, { data: 'other' })).toThrow('the training images are not those')
    expect(() => goOn(4, 0, { heldOut: 'other' })).toThrow('the held-out images are not those')
    expect(() => goOn(4, 0, { heldOut: undefined })).toThrow('the held-out images are not those')
    expect(() => goOn(4, 0, { data: 'a', heldOut: 'b' })).toThrow('the training and held-out images are not those')
  })

  test('a run that began without held-out images may go on with some', () => {
    const { heldOut: _, ...without } = state
    checkSettings(resnet, settings, 4, images, without)
  })
})
