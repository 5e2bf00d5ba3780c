/** @file Claims about the learning-rate range test: what it suggests trains, it repeats, and it leaves the model alone. */
import { describe, expect, test } from 'vitest'
import type { Dataset } from '../../src/data/dataset.js'
import { take } from '../../src/data/subset.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import type { Model } from '../../src/models/model.js'
import { initialWeights } from '../../src/nn/initializers.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'
import { type FindLearningRateOptions, findLearningRate } from '../../src/train/find-learning-rate.js'
import { hasDiverged, suggestRate, type TriedRate } from '../../src/train/rate-suggestion.js'
import { train } from '../../src/train/train.js'
import { stripeClasses, stripeData, stripes } from './patterns.js'

const engine = referenceEngine()

/** A convolution, means over the image, a layer that classifies. */
function small(): Model {
  const builder = new GraphBuilder()
  const attrs = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const
  const weight = builder.parameter('conv.weight', [8, 3, 3, 3], { type: 'normal', mode: 'fanOut', gain: 1 })
  const features = builder.emit(ops.conv2d, [builder.input('image', [1, 8, 8, 3]), weight], attrs, 'conv')
  const pooled = builder.emit(ops.globalAveragePool, [builder.emit(ops.relu, [features], {})], {})
  const classifier = builder.parameter('fc.weight', [3, 8], { type: 'uniform', bound: 0.3 })
  builder.output('logits', builder.emit(ops.linear, [builder.emit(ops.flatten, [pooled], {}), classifier], {}, 'fc'))
  const graph = builder.build()
  const preprocessing = { size: [8, 8, 3], mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25] } as const
  return { name: 'small', graph, weights: initialWeights(graph, 0), preprocessing, labels: stripeClasses }
}

const options: FindLearningRateOptions = { data: stripeData, engine, batchSize: 16, steps: 60 }

describe('on images of stripes', async () => {
  const model = small()
  const search = await findLearningRate(model, options)

  test('rates grow from the lowest by the same factor, each with its loss', () => {
    expect(search.steps[0].learningRate).toBe(1e-6)
    expect(search.steps[1].learningRate / search.steps[0].learningRate).toBeCloseTo(1e7 ** (1 / 59), 9)
    for (const { loss, smoothedLoss } of search.steps) expect([loss, smoothedLoss].every(Number.isFinite)).toBe(true)
  })

  test('a run at the suggested rate learns, one at a thousandth of it does not', async () => {
    const accuracyAt = async (learningRate: number) =>
      (await (await train(small(), { data: stripeData, engine, batchSize: 16, epochs: 6, learningRate })).evaluate())
        .accuracy
    const [suggested, low] = [await accuracyAt(search.steepest), await accuracyAt(search.steepest / 1000)]
    expect(suggested).toBeGreaterThan(0.9)
    expect(low).toBeLessThan(0.6)
  })

  test('the model is left as it was, and the same seed gives the same numbers, another seed others', async () => {
    expect(model.weights).toEqual(small().weights)
    expect(await findLearningRate(model, options)).toEqual(search)
    expect((await findLearningRate(model, { ...options, seed: 1 })).steps).not.toEqual(search.steps)
  })

  test('an optimizer of its own needs no schedule', async () => {
    const { steps } = await findLearningRate(model, { ...options, optimizer: { type: 'adam' } })
    expect(steps).not.toEqual(search.steps)
  })

  test('it tells how often each image was seen', () => {
    expect(search.passes).toBeCloseTo((search.steps.length * 16) / stripeData.train.length, 9)
  })

  test('too few images to tell anything by are refused', async () => {
    const few = (train: Dataset) =>
      findLearningRate(model, {
        ...options,
        batchSize: 1,
        data: { ...stripeData, train },
      })
    await expect(few(stripes(19))).rejects.toThrow(
      '19 images are too few to find a learning rate by: a search takes at least 20 to train on',
    )
    await expect(few(stripes(1))).rejects.toThrow('1 image is too few')
    expect((await few(take(stripeData.train, 20))).passes).toBeLessThanOrEqual(3)
  })

  test('what is thrown after a step ends the search', async () => {
    const stop = () => {
      throw new Error('enough')
    }
    await expect(findLearningRate(model, { ...options, onStep: stop })).rejects.toThrow('enough')
  })
})

/** Losses over rates from 1e-6 to 10. */
const tried = (lossAt: (decade: number, step: number) => number, steps = 100): TriedRate[] =>
  Array.from({ length: steps }, (_, i) => {
    const decade = -6 + (7 * i) / (steps - 1)
    return { learningRate: 10 ** decade, loss: lossAt(decade, i) }
  })

describe('of losses whose course is known', () => {
  /** Falls from 2.3 to 0.3, fastest at 1e-2. */
  const falling = (decade: number) => 0.3 + 2 / (1 + Math.exp(4 * (decade + 2)))

  test('the steepest place and the lowest are found', () => {
    // From 0.1 on it rises again.
    const { steepest, tenthOfLowest } = suggestRate(
      tried(decade => falling(decade) + 2 * Math.max(0, decade + 1)),
      100,
    )
    expect(Math.log10(steepest)).toBeCloseTo(-2, 1)
    expect(Math.abs(Math.log10(tenthOfLowest) + 2)).toBeLessThan(0.3)
  })

  test('noise moves them little', () => {
    const noise = (i: number) => 0.1 * Math.sin(12.9898 * i * i)
    const { steepest } = suggestRate(
      tried((decade, i) => falling(decade) + noise(i)),
      100,
    )
    expect(Math.abs(Math.log10(steepest) + 2)).toBeLessThan(0.5)
  })

  test('the fall from a peak, after a step that was too large, is not taken for progress', () => {
    const peak = (decade: number) => (decade > 0 && decade < 0.5 ? 6 : 0)
    const { steepest } = suggestRate(
      tried(decade => falling(decade) + peak(decade)),
      100,
    )
    expect(Math.log10(steepest)).toBeCloseTo(-2, 1)
  })

  test('a loss that explodes ends the search, and does not reach into what came before', () => {
    const exploding = tried(decade => (decade > 0 ? 1e30 : falling(decade)))
    const end = exploding.findIndex((_, i) => hasDiverged(exploding.slice(0, i + 1), 100))
    expect(exploding[end].learningRate).toBeGreaterThan(1)
    expect(exploding[end - 1].learningRate).toBeLessThanOrEqual(1)
    const { steepest, steps } = suggestRate(exploding.slice(0, end + 1), 100)
    expect(Math.log10(steepest)).toBeCloseTo(-2, 1)
    expect(Math.max(...steps.map(({ smoothedLoss }) => smoothedLoss))).toBeLessThan(5)
  })

  test.each([
    ['stays as it is', tried(() => 2.3), 'the loss falls at no learning rate from 0.0000010 to 10'],
    ['is noise', tried((_, i) => 2.3 + 0.1 * Math.sin(12.9898 * i * i)), 'the loss falls at no learning rate'],
    ['only grows', tried(decade => 3 + 0.1 * decade), 'the loss falls at no learning rate'],
    ['is finite at two rates only', tried(falling).slice(0, 2), 'no longer finite after 2 steps'],
  ])('a loss that %s suggests nothing', (_, losses, message) => {
    expect(() => suggestRate(losses, 100)).toThrow(message)
  })
})

test.each<[string, Partial<FindLearningRateOptions>, string]>([
  ['rates that fall', { lowest: 1, highest: 0.1 }, 'rates must grow: from 1 to 0.1 they do not'],
  ['a rate of zero', { lowest: 0 }, 'lowest: expected a number above 0, got 0'],
  ['too few steps', { steps: 10 }, 'steps: expected a whole number of at least 50, got 10'],
  ['a batch larger than the data', { batchSize: 200 }, 'use at most 96'],
  ['a seed that is none', { seed: 0.5 }, 'seed: expected a whole number, got 0.5'],
])('%s', async (_, more, message) => {
  await expect(findLearningRate(small(), { ...options, ...more })).rejects.toThrow(message)
})
