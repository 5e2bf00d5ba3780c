/** @file Structured pruning of whole models: smaller by what was asked for, the same where what goes is zero, and like any model after. */
import { describe, expect, test } from 'vitest'
import { criteria } from '../../src/compress/importance.js'
import { prunablePart, pruneChannels } from '../../src/compress/prune-channels.js'
import { pruneIteratively } from '../../src/compress/prune-iteratively.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { decodeCheckpoint, encodeCheckpoint } from '../../src/formats/checkpoint.js'
import type { Model } from '../../src/models/model.js'
import { createModel } from '../../src/models/registry.js'
import { graphMultiplyAdds, parameterCount } from '../../src/models/summary.js'
import { predictProbabilities } from '../../src/train/predict.js'
import { train } from '../../src/train/train.js'
import { noise } from './noise.js'

const engine = referenceEngine()
const small = (name: string): Model => createModel(name, { classes: 4, input: [32, 32, 3] })

const gone = (before: Model, after: Model): number =>
  1 - graphMultiplyAdds(after.graph) / graphMultiplyAdds(before.graph)

describe.each(['resnet20', 'efficientnet-b0', 'cnn', 'speednet', 'resnet18'])('%s', name => {
  const model = small(name)

  test.each(['global', 'uniform'] as const)('loses what is asked for, and little more (%s)', async scope => {
    const { model: smaller, sets } = await pruneChannels(model, { amount: 0.4, scope })
    expect(gone(model, smaller)).toBeGreaterThanOrEqual(0.4)
    expect(gone(model, smaller)).toBeLessThan(0.42)
    expect(parameterCount(smaller.graph)).toBeLessThan(parameterCount(model.graph))
    for (const { channels, kept } of sets)
      expect(kept % 8 === 0 || kept === channels, `${kept} of ${channels}`).toBe(true)
    expect(new Set(sets.map(({ name }) => name)).size, 'each set has a name of its own').toBe(sets.length)
  })

  test('loses as much as can go, and no more', async () => {
    const most = await prunablePart(model)
    const { model: smallest } = await pruneChannels(model, { amount: most - 1e-6 })
    expect(gone(model, smallest)).toBeCloseTo(most, 6)
    await expect(pruneChannels(model, { amount: most + 1e-3 })).rejects.toThrow('would leave a layer without channels')
  })
})

describe('what is left is a model: it learns, is saved and read, and pruned again', () => {
  test.each([...criteria.map(importance => ['resnet8', importance] as const), ['efficientnet-b0', 'taylor'] as const])(
    '%s by %s',
    async (name, importance) => {
      const model = createModel(name, { classes: 4, input: [16, 16, 3] })
      const images = noise(model, name === 'resnet8' ? 8 : 4)
      const options = { importance, images, engine, batchSize: 4, amount: 0.3 }
      const { model: smaller } = await pruneChannels(model, options)
      const run = await train(smaller, { data: { train: images }, epochs: 1, batchSize: 4, learningRate: 1e-3, engine })
      const read = decodeCheckpoint('saved', Buffer.concat(encodeCheckpoint({ model: run.model }))).model
      const probabilities = await predictProbabilities(read, new Uint8Array(16 * 16 * 3), { engine })
      expect(probabilities.every(value => Number.isFinite(value))).toBe(true)
      const { model: smallest } = await pruneChannels(read, options)
      expect(gone(model, smallest)).toBeGreaterThan(0.5)
    },
  )
})

test('what the weights of are 0 goes first, and changes nothing', async () => {
  const model = createModel('resnet8', { classes: 4, input: [8, 8, 3] })
  const dead = { of: 'layer2.0.conv1.weight', from: 16 }
  const weights = new Map(
    [...model.weights].map(([name, values]) => {
      const ofChannel = name === dead.of || name.startsWith('layer2.0.bn1.')
      const perChannel = values.length / 32
      return [name, ofChannel ? values.map((x, i) => (i / perChannel < dead.from ? x : 0)) : values]
    }),
  )
  const before = { ...model, weights }
  for (const importance of ['l1', 'l2', 'batch-norm'] as const) {
    const { model: after, sets } = await pruneChannels(before, { importance, amount: 0.01, multipleOf: 1, engine })
    expect(sets.filter(({ channels, kept }) => kept < channels).map(({ name }) => name)).toEqual([dead.of])
    const pixels = new Uint8Array(2 * 8 * 8 * 3).map((_, i) => (i * 37) % 256)
    const [a, b] = [
      await predictProbabilities(before, pixels, { engine }),
      await predictProbabilities(after, pixels, { engine }),
    ]
    a.forEach((p, i) => expect(b[i]).toBeCloseTo(p, 6))
  }
})

test('chance gives the same for the same seed, and another for another', async () => {
  const model = createModel('resnet8', { classes: 4, input: [8, 8, 3] })
  const firstWeights = async (seed: number) => {
    const { model: smaller } = await pruneChannels(model, { amount: 0.5, importance: 'random', seed, engine })
    return smaller.weights.get('conv1.weight')!
  }
  expect(await firstWeights(1)).toEqual(await firstWeights(1))
  expect(await firstWeights(1)).not.toEqual(await firstWeights(2))
})

test('what cannot be done is refused by name', async () => {
  const model = createModel('resnet8', { classes: 4, input: [8, 8, 3] })
  const refused = (options: object) => expect(pruneChannels(model, { engine, ...options } as never)).rejects
  await refused({ amount: 1 }).toThrow('amount: expected a number above 0 and below 1')
  await refused({}).toThrow('amount: missing')
  await refused({ amount: 0.99, multipleOf: 8 }).toThrow('would leave a layer without channels: at most')
  await refused({ amount: 0.5, importance: 'l3' }).toThrow("importance: unknown 'l3'")
  await refused({ amount: 0.5, importance: 'taylor' }).toThrow('needs images')
  await refused({ amount: 0.5, images: noise(createModel('resnet8', { classes: 5, input: [8, 8, 3] }), 4) }).toThrow(
    'classes',
  )
  const plain = createModel('cnn', { classes: 4, input: [32, 32, 3] })
  await expect(pruneChannels(plain, { amount: 0.5, importance: 'batch-norm', engine })).rejects.toThrow('batch-norm')
})

test('iteratively, equal parts go, each ranked by what training made of the one before', async () => {
  const model = small('resnet20')
  const seen: number[] = []
  const options = { amount: 0.5, iterations: 3, multipleOf: 1 }
  const { model: left, sets } = await pruneIteratively(model, {
    ...options,
    train: async (pruned, iteration) => {
      expect(iteration).toBe(seen.length + 1)
      seen.push(gone(model, pruned))
      // Stands for training: what comes back is what is pruned next.
      return { ...pruned, name: `${pruned.name}+` }
    },
  })
  expect(left.name).toBe('resnet20+++')
  seen.forEach((part, i) => {
    expect(part).toBeGreaterThanOrEqual((0.5 * (i + 1)) / 3 - 1e-9)
    expect(part).toBeLessThan((0.5 * (i + 1)) / 3 + 0.05)
  })
  const atOnce = await pruneChannels(model, { amount: 0.5, multipleOf: 1 })
  expect(sets.map(({ name, channels }) => [name, channels])).toEqual(
    atOnce.sets.map(({ name, channels }) => [name, channels]),
  )
  const refused = pruneIteratively(model, {
    ...options,
    amount: 0.999,
    train: () => Promise.reject(new Error('trained')),
  })
  await expect(refused).rejects.toThrow('would leave a layer without channels')
})
