/** @file Claims about weights many of which are 0: a file holds a bit for each and the others, and they come back as they were. */
import { describe, expect, test } from 'vitest'
import { connectionsOf } from '../../src/compress/connections.js'
import { pruneWeights } from '../../src/compress/prune-weights.js'
import { quantizeWeights } from '../../src/compress/quantize-weights.js'
import { decodeCheckpoint, encodeCheckpoint } from '../../src/formats/checkpoint.js'
import { decodeWeights } from '../../src/formats/import-weights.js'
import { decodeSafetensors, encodeSafetensors } from '../../src/formats/safetensors.js'
import { compact, expand } from '../../src/formats/sparse.js'
import type { StoredTensor } from '../../src/formats/weight-source.js'
import type { Model } from '../../src/models/model.js'
import { createModel } from '../../src/models/registry.js'

const model = createModel('resnet8', { input: [8, 8, 3], classes: 3 })

describe('a model most of whose weights are 0', async () => {
  const { model: pruned } = await pruneWeights(model, { amount: 0.8 })
  const file = Buffer.concat(encodeCheckpoint({ model: pruned }))

  test('is read as it was', () => {
    for (const read of [decodeCheckpoint('file', file).model, decodeWeights('file', file, model)]) {
      for (const [name, values] of pruned.weights) expect(read.weights.get(name), name).toEqual(values)
    }
  })

  test('takes a bit for each weight, and those that are another number', () => {
    const whole = Buffer.concat(encodeCheckpoint({ model })).length
    expect(file.length).toBeLessThan((0.2 + 1 / 32 + 0.1) * whole)
    const { tensors } = decodeSafetensors('file', file)
    const kept = pruned.weights.get('fc.weight')!.filter((x: number) => x !== 0).length
    expect(tensors.get('fc.weight:bits')?.bytes.length).toBe((3 * 64) / 8)
    expect(tensors.get('fc.weight:values')?.shape).toEqual([kept])
    expect(tensors.has('bn1.bias'), 'biases are held whole').toBe(true)
  })

  test('goes on with training: the state of an optimizer lies beside it', () => {
    const slots = new Map([['fc.weight:velocity', new Float32Array(3 * 64).fill(0.5)]])
    const training = {
      ...{ settings: {}, data: 'd', epoch: 1, step: 0, lossSum: 0, correct: 0, slots },
      history: [{ epoch: 1, loss: 1, accuracy: 0 }],
    }
    const read = decodeCheckpoint('file', Buffer.concat(encodeCheckpoint({ model: pruned, training })))
    expect(read.training?.slots).toEqual(slots)
  })

  const changed = (change: (tensors: Map<string, StoredTensor>) => void): Buffer => {
    const { tensors, metadata } = decodeSafetensors('file', file)
    const own = new Map(tensors)
    change(own)
    return Buffer.concat(encodeSafetensors({ tensors: own, metadata }))
  }
  const uint8 = (length: number, fill: number): StoredTensor => ({
    ...{ dtype: 'uint8' as const, shape: [length] },
    bytes: new Uint8Array(length).fill(fill),
  })

  test.each([
    ['bits that are too few', uint8(1, 0xff)],
    ['bits that ask for more numbers', uint8(24, 0xff)],
    ['bits of none', uint8(24, 0)],
  ])('%s are refused by name', (_, bits) => {
    const file = changed(tensors => tensors.set('fc.weight:bits', bits))
    expect(() => decodeCheckpoint('damaged', file)).toThrow(
      "'damaged' is no checkpoint of Fovea: 'fc.weight:bits' and 'fc.weight:values' do not make a tensor of 192 elements",
    )
  })

  test('one half of a tensor is none', () => {
    const file = changed(tensors => tensors.delete('fc.weight:values'))
    expect(() => decodeCheckpoint('damaged', file)).toThrow('it lacks fc.weight')
  })
})

test.each([
  ['float32', 4],
  ['float16', 2],
  ['float64', 8],
  ['int8', 1],
] as const)('a tensor of %s is split only where that takes less room', (dtype, size) => {
  const tensor = (kept: number): StoredTensor => {
    const bytes = new Uint8Array(64 * size)
    for (let i = 0; i < kept; i++) bytes[(7 * i + 3) * size] = i + 1
    return { dtype, shape: [8, 8], bytes }
  }
  expect(compact('w', tensor(8)).map(([name]) => name)).toEqual(['w:bits', 'w:values'])
  const type = { dtype, shape: [8, 8] }
  expect(expand(new Map(compact('w', tensor(8))), new Map([['w', type]])).get('w')).toEqual(tensor(8))
  const dense = { dtype, shape: [8, 8], bytes: new Uint8Array(64 * size).fill(1) }
  expect(compact('w', dense)).toEqual([['w', dense]])
})

test('of floats, −0 is left out; of integers, −128 has only that bit and stays', () => {
  const [negative, none] = [new Uint8Array(64).fill(0), new Uint8Array(64).fill(0)]
  negative[5] = 0x80
  const int8 = { dtype: 'int8', shape: [8, 8], bytes: negative } as const
  const float32 = { dtype: 'float32', shape: [4, 4], bytes: negative.slice() } as const
  float32.bytes[5] = 0
  float32.bytes[7] = 0x80
  expect(new Map(compact('w', int8)).get('w:values')?.bytes).toEqual(Uint8Array.of(0x80))
  expect(new Map(compact('w', { ...float32, bytes: none })).get('w:values')?.bytes).toEqual(new Uint8Array())
  expect(new Map(compact('w', float32)).get('w:values')?.bytes).toEqual(new Uint8Array())
})

test('what was pruned and then became integers is as sparse, and takes an eighth of a byte for each weight that is gone', async () => {
  const { model: pruned } = await pruneWeights(model, { amount: 0.8 })
  const [dense, sparse] = [quantizeWeights(model), quantizeWeights(pruned)]
  const sum = (of: Model, count: 'weights' | 'kept') => connectionsOf(of).reduce((all, layer) => all + layer[count], 0)
  expect(sum(dense, 'kept'), 'zeros of rounding are none').toBe(sum(model, 'weights'))
  const gone = sum(sparse, 'weights') - sum(sparse, 'kept')
  expect(gone).toBeGreaterThanOrEqual(sum(pruned, 'weights') - sum(pruned, 'kept'))
  const [whole, file] = [dense, sparse].map(model => Buffer.concat(encodeCheckpoint({ model })))
  expect(whole.length - file.length).toBeGreaterThan(gone - sum(sparse, 'weights') / 8 - 1000)
  for (const [name, values] of sparse.weights) {
    expect(decodeCheckpoint('file', file).model.weights.get(name), name).toEqual(values)
  }
})

test('weights that crowd around 0 become 0 by rounding, which is no pruning', async () => {
  // Laplace's distribution, and in each channel a weight so large that most others are less than a step or two.
  const crowded = new Map(
    [...model.weights].map(([name, values]) => {
      if (!name.endsWith('weight')) return [name, values] as const
      const laplace = Float32Array.from(values, (_, i) => ((i % 2 ? 1 : -1) * -Math.log((i * 0.618034) % 1 || 1)) / 50)
      return [name, laplace.map((value, i) => (i % 9 === 0 ? 2 : value))] as const
    }),
  )
  const rounded = quantizeWeights({ ...model, weights: crowded })
  const pruned = quantizeWeights((await pruneWeights({ ...model, weights: crowded }, { amount: 0.5 })).model)
  const zeros = (of: Model) =>
    connectionsOf(of).reduce((sum, { name }) => sum + of.weights.get(name)!.filter(value => value === 0).length, 0)
  const removed = (of: Model) => connectionsOf(of).reduce((sum, { weights, kept }) => sum + weights - kept, 0)
  expect(zeros(rounded)).toBeGreaterThan(0.15 * connectionsOf(rounded).reduce((sum, { weights }) => sum + weights, 0))
  expect(removed(rounded)).toBe(0)
  expect(removed(pruned)).toBe(zeros(pruned))
})
