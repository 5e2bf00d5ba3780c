/** @file Unstructured pruning: as many weights are 0 as was asked for, those that matter least, and where the pattern has them. */
import { describe, expect, test } from 'vitest'
import { chooseWeights } from '../../src/compress/choose-weights.js'
import { connectionsOf } from '../../src/compress/connections.js'
import { type PruneWeightsOptions, pruneWeights } from '../../src/compress/prune-weights.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { createModel } from '../../src/models/registry.js'
import { noise } from './noise.js'

const engine = referenceEngine()
const model = createModel('resnet8', { classes: 4, input: [16, 16, 3] })
const images = noise(model, 8)
const all = connectionsOf(model).reduce((sum, { weights }) => sum + weights, 0)
const zeros = (values: ArrayLike<number>): number => Array.from(values).filter(value => value === 0).length

describe.each(['magnitude', 'taylor', 'random'] as const)('%s', importance => {
  const pruned = (options: PruneWeightsOptions) =>
    pruneWeights(model, { importance, images, batchSize: 4, engine, ...options })

  test('over all layers, the amount goes', async () => {
    const { layers } = await pruned({ amount: 0.6 })
    expect(layers.reduce((sum, { kept }) => sum + kept, 0)).toBe(all - Math.round(0.6 * all))
  })

  test('uniform: each layer loses the same part', async () => {
    const { layers, model: sparse } = await pruned({ amount: 0.6, scope: 'uniform' })
    for (const { name, weights, kept } of layers) {
      expect(kept, name).toBe(weights - Math.round(0.6 * weights))
      expect(zeros(sparse.weights.get(name)!)).toBe(weights - kept)
    }
  })

  test('2:4: two of each four along the inputs of a layer, where there are four', async () => {
    const { model: sparse } = await pruned({ pattern: '2:4' })
    const { shape } = model.graph.nodes.find(({ name }) => name === 'layer2.0.conv1.weight')!.outputs[0]
    const values = sparse.weights.get('layer2.0.conv1.weight')!
    const [outputs, inputs, height, width] = shape
    for (let four = 0; four < outputs * (inputs / 4); four++) {
      for (let i = 0; i < height * width; i++) {
        const at = [0, 1, 2, 3].map(j => values[(4 * four + j) * height * width + i])
        expect(zeros(at)).toBe(2)
      }
    }
    expect(zeros(sparse.weights.get('conv1.weight')!), 'three inputs make no four').toBe(0)
  })

  test('what is 0 already goes first, and counts', async () => {
    const once = await pruned({ amount: 0.5 })
    const again = await pruneWeights(once.model, { importance, images, batchSize: 4, engine, amount: 0.6 })
    for (const [name, values] of once.model.weights) {
      if (!once.layers.some(layer => layer.name === name)) continue
      const later = again.model.weights.get(name)!
      expect(
        values.every((value: number, i: number) => value !== 0 || later[i] === 0),
        name,
      ).toBe(true)
    }
    expect(again.layers.reduce((sum, { kept }) => sum + kept, 0)).toBe(all - Math.round(0.6 * all))
  })
})

test('by magnitude no weight that goes is larger than one that stays', async () => {
  const { model: sparse, layers } = await pruneWeights(model, { amount: 0.7, engine })
  let [largestGone, smallestKept] = [0, Number.POSITIVE_INFINITY]
  for (const { name } of layers) {
    const left = sparse.weights.get(name)!
    model.weights.get(name)!.forEach((value: number, i: number) => {
      if (left[i] === 0) largestGone = Math.max(largestGone, Math.abs(value))
      else smallestKept = Math.min(smallestKept, Math.abs(value))
    })
  }
  expect(largestGone).toBeLessThanOrEqual(smallestKept)
})

test('biases, norms and their statistics stay as they are, these but for new estimates from images', async () => {
  const { model: sparse, layers } = await pruneWeights(model, { amount: 0.7, engine })
  const pruned = new Set(layers.map(({ name }) => name))
  for (const [name, values] of model.weights) if (!pruned.has(name)) expect(sparse.weights.get(name)).toEqual(values)
  const estimated = await pruneWeights(model, { amount: 0.7, engine, images })
  expect(estimated.model.weights.get('bn1.running_mean')).not.toEqual(model.weights.get('bn1.running_mean'))
})

test('of equals as many go as are asked for, the first ones', () => {
  const layer = (name: string) => ({ name, shape: [1, 8], scores: [1, 1, 1, 0, 1, 1, 1, 1] })
  const masks = chooseWeights([layer('a'), layer('b')], { amount: 0.25, scope: 'global', pattern: 'any' })
  expect([...masks.values()].map(mask => [...mask])).toEqual([
    [0, 0, 1, 0, 1, 1, 1, 1],
    [1, 1, 1, 0, 1, 1, 1, 1],
  ])
})

test('half of the way to 2:4 takes the lesser half of what it takes in the end', () => {
  const layer = { name: 'a', shape: [1, 8], scores: [8, 1, 2, 9, 4, 3, 7, 6] }
  const at = (amount: number) => [...chooseWeights([layer], { amount, scope: 'global', pattern: '2:4' }).get('a')!]
  expect(at(0.25)).toEqual([1, 0, 0, 1, 1, 1, 1, 1])
  expect(at(0.5)).toEqual([1, 0, 0, 1, 0, 0, 1, 1])
})

test('what cannot be done is refused by name', async () => {
  const refused = (options: object) => expect(pruneWeights(model, { engine, ...options } as never)).rejects
  await refused({}).toThrow('amount: missing')
  await refused({ amount: 1 }).toThrow('amount: expected a number above 0 and below 1')
  await refused({ amount: 0.8, pattern: '2:4' }).toThrow('amount: a pattern of 2:4 takes 0.5, not 0.8')
  await refused({ amount: 0.5, importance: 'taylor' }).toThrow('needs images')
  await refused({ amount: 0.5, importance: 'movement' }).toThrow("importance: unknown 'movement'")
  const weights = new Map(model.weights).set('conv1.weight', new Float32Array(16 * 27))
  await expect(pruneWeights({ ...model, weights }, { amount: 0.2, engine })).rejects.toThrow(
    "would leave 'conv1.weight' without weights: choose a smaller amount, or scope 'uniform'",
  )
})
