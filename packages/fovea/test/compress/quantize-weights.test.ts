/** @file Weights in fewer bits: as near as the type allows, smaller by its bytes, and the same model in all else. */
import { describe, expect, test } from 'vitest'
import { analyzePruning } from '../../src/compress/analyze-pruning.js'
import { connectionNodes } from '../../src/compress/connections.js'
import { pruneChannels } from '../../src/compress/prune-channels.js'
import { pruneWeights } from '../../src/compress/prune-weights.js'
import { quantizeWeights, weightTypes } from '../../src/compress/quantize-weights.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { decodeCheckpoint, encodeCheckpoint } from '../../src/formats/checkpoint.js'
import { stateNodes } from '../../src/graph/graph.js'
import { tensorBytes } from '../../src/graph/types.js'
import type { Model } from '../../src/models/model.js'
import { createModel } from '../../src/models/registry.js'
import { predictProbabilities } from '../../src/train/predict.js'
import { noise } from './noise.js'

const model = createModel('resnet8', { classes: 4, input: [16, 16, 3] })
const engine = referenceEngine()

/** Pixels of a few images. */
const images = Uint8Array.from({ length: 5 * 16 * 16 * 3 }, (_, i) => (i * 89) % 256)
const probabilities = (of: Model) => predictProbabilities(of, images, { engine })
const bytes = ({ graph }: Model): number =>
  stateNodes(graph).reduce((sum, { outputs: [type] }) => sum + tensorBytes(type), 0)

describe.each(weightTypes)('%s', type => {
  const small = quantizeWeights(model, { type })

  test('holds the weights of convolutions and matrices, and nothing else changes', () => {
    const chosen = new Set(connectionNodes(model.graph).map(({ name }) => name))
    for (const { name, outputs } of stateNodes(small.graph)) {
      expect(outputs[0].dtype, name).toBe(chosen.has(name) ? type : 'float32')
    }
    for (const [name, values] of model.weights) if (!chosen.has(name)) expect(small.weights.get(name)).toBe(values)
    const saved = 4 * connectionNodes(model.graph).reduce((sum, { name }) => sum + model.weights.get(name)!.length, 0)
    const scales = [...small.weights].filter(([name]) => name.endsWith('_scale'))
    const added = 4 * scales.reduce((sum, [, { length }]) => sum + length, 0)
    expect(bytes(small)).toBe(bytes(model) - saved * (type === 'int8' ? 0.75 : 0.5) + added)
  })

  test('is at most half a step away from each weight', () => {
    for (const { name } of connectionNodes(model.graph)) {
      const [before, after] = [model.weights.get(name)!, small.weights.get(name)!]
      const scales = small.weights.get(`${name}_scale`)
      let [farthest, largest] = [0, 0]
      before.forEach((value: number, i: number) => {
        const step = scales
          ? scales[Math.floor((i * scales.length) / before.length)]
          : Math.max(Math.abs(value) * 2 ** -7, 2 ** -24)
        farthest = Math.max(farthest, Math.abs(after[i] * (scales ? step : 1) - value) / step)
        largest = Math.max(largest, Math.abs(after[i]))
      })
      expect(farthest, name).toBeLessThanOrEqual(0.5001)
      if (scales) expect(largest, name).toBe(127)
    }
  })

  test('tells images apart nearly as before', async () => {
    const [before, after] = [await probabilities(model), await probabilities(small)]
    const farthest = before.reduce((most, p, i) => Math.max(most, Math.abs(p - after[i])), 0)
    expect(farthest).toBeLessThan(0.02)
    expect(farthest).toBeGreaterThan(0)
  })

  test('is saved and loaded as it is', async () => {
    const file = Buffer.concat(encodeCheckpoint({ model: small }))
    const { model: loaded } = decodeCheckpoint('small', file)
    expect(loaded.weights).toEqual(small.weights)
    expect(await probabilities(loaded)).toEqual(await probabilities(small))
    expect(file.length).toBeLessThan((type === 'int8' ? 0.35 : 0.6) * Buffer.concat(encodeCheckpoint({ model })).length)
  })

  test('is not quantized or pruned again', async () => {
    const refusal = /resnet8 is quantized: 'conv1.weight' is \w+. Start from the model that it was made from/
    expect(() => quantizeWeights(small)).toThrow(refusal)
    await expect(pruneChannels(small, { amount: 0.5 })).rejects.toThrow(refusal)
    await expect(pruneWeights(small, { amount: 0.5 })).rejects.toThrow(refusal)
    await expect(analyzePruning(small, { images: noise(small, 4) })).rejects.toThrow(refusal)
  })
})

test('a channel of zeros stays one', () => {
  const weights = new Map(model.weights)
  weights.set('fc.weight', new Float32Array(model.weights.get('fc.weight')!.length))
  const small = quantizeWeights({ ...model, weights })
  expect(small.weights.get('fc.weight')!.every((q: number) => q === 0)).toBe(true)
  expect([...small.weights.get('fc.weight_scale')!]).toEqual([1, 1, 1, 1])
})

test('what is kept stays float32; a misspelt pattern is refused', () => {
  const { graph } = quantizeWeights(model, { keepFloat32: ['conv1.*', 'fc.weight'] })
  const kept = connectionNodes(graph).map(({ name }) => name)
  expect(kept).toEqual(['conv1.weight', 'fc.weight'])
  expect(() => quantizeWeights(model, { keepFloat32: ['conv.weight'] })).toThrow(
    "keepFloat32: 'conv.weight' matches no weight; there are conv1.weight, ",
  )
})
