/** @file Post-training quantization: near the model that it was made from, in integers where it says so, and honest about bad input. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addByEnergy, Histogram, rangeBy, rangeMethods } from '../../src/compress/activation-range.js'
import { foldNorms } from '../../src/compress/fold-norms.js'
import { quantizeModel } from '../../src/compress/quantize-model.js'
import { arrayDataset } from '../../src/data/array-dataset.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { decodeCheckpoint, encodeCheckpoint } from '../../src/formats/checkpoint.js'
import { stateNodes } from '../../src/graph/graph.js'
import type { Model } from '../../src/models/model.js'
import { createModel } from '../../src/models/registry.js'
import { scaleOf } from '../../src/ops/quantization.js'
import { normalAt } from '../../src/random.js'
import { predictProbabilities } from '../../src/train/predict.js'
import { evaluationGraph } from '../../src/train/training-graph.js'
import { noise } from './noise.js'

const engine = referenceEngine()
const small = { classes: 4, input: [16, 16, 3] } as const
const models = {
  resnet8: createModel('resnet8', small),
  cnn: createModel('cnn', { classes: 4, input: [32, 32, 3] }),
  'efficientnet-b0': createModel('efficientnet-b0', { classes: 4, input: [32, 32, 3] }),
}
const resnet = models.resnet8
const images = noise(resnet, 40)
const probabilities = (model: Model, count = 6) => {
  const pixels = new Uint8Array(count * model.preprocessing.size.reduce((a, b) => a * b))
  noise(model, count).read([...Array(count).keys()], pixels)
  return predictProbabilities(model, pixels, { engine })
}
const farthest = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, p, i) => Math.max(most, Math.abs(p - b[i])), 0)

describe.each(Object.entries(models))('%s', (name, model) => {
  // Before it is trained, this one has the same to say of all images.
  test.skipIf(name === 'efficientnet-b0')('predicts nearly as before', async () => {
    const { model: integers, layers } = await quantizeModel(model, { images: noise(model, 16), engine })
    const before = await probabilities(model)
    const distance = farthest(before, await probabilities(integers))
    expect(distance).toBeLessThan(0.05)
    expect(distance).toBeGreaterThan(0)
    expect(layers.every(({ dtype }) => dtype === 'int8')).toBe(true)
    expect(farthest(before, await probabilities(foldNorms(model)))).toBeLessThan(1e-5)
  })

  test('computes each layer in integers', async () => {
    const { model: integers, layers } = await quantizeModel(model, {
      images: noise(model, 2),
      engine,
      ranges: 'min-max',
    })
    const { nodes } = evaluationGraph(integers.graph, 2)
    const of = (op: string) => nodes.filter(node => node.op === op)
    expect(of('integerConv2d')).toHaveLength(layers.length)
    expect([...of('conv2d'), ...of('linear')]).toEqual([])
    // What is between layers too: squeeze-and-excitation's products, means. Only the image is a float.
    const made = (...ops: string[]) => model.graph.nodes.filter(({ op }) => ops.includes(op)).length
    expect(of('integerMultiply')).toHaveLength(made('multiply'))
    expect(of('integerAveragePool')).toHaveLength(made('averagePool', 'globalAveragePool'))
    // A matrix takes in no activation.
    expect(of('quantize')).toHaveLength(name === 'cnn' ? 2 : 1)
  })
})

describe('a quantized model', () => {
  test('has weights of int8 and biases of int32, and is saved and loaded as it is', async () => {
    const { model } = await quantizeModel(resnet, { images, engine })
    const types = Object.fromEntries(stateNodes(model.graph).map(({ name, outputs }) => [name, outputs[0].dtype]))
    expect(types['conv1.weight']).toBe('int8')
    expect(types['conv1.bias']).toBe('int32')
    expect(types['conv1.weight_scale']).toBe('float32')
    const file = Buffer.concat(encodeCheckpoint({ model }))
    const { model: loaded } = decodeCheckpoint('integers', file)
    expect(loaded.weights).toEqual(model.weights)
    expect(await probabilities(loaded)).toEqual(await probabilities(model))
    expect(file.length).toBeLessThan(0.45 * Buffer.concat(encodeCheckpoint({ model: resnet })).length)
  })

  test('of 7 bits has no weight beyond 63', async () => {
    const { model } = await quantizeModel(resnet, { images, engine, weightBits: 7 })
    const weights = [...model.weights.values()].filter(values => values instanceof Int8Array)
    expect(Math.max(...weights.flatMap(values => [...values].map(Math.abs)))).toBe(63)
    expect(evaluationGraph(model.graph, 1).nodes.find(({ op }) => op === 'integerConv2d')?.attrs['largest']).toBe(63)
  })

  test('has weights of as many bits as its engine adds up in integers, unless it is told otherwise', async () => {
    const saturating = { ...engine, weightBits: 7 } as const
    const largestOf = async (options: { readonly weightBits?: number }): Promise<unknown> => {
      const { model } = await quantizeModel(resnet, { images: noise(resnet, 2), engine: saturating, ...options })
      return evaluationGraph(model.graph, 1).nodes.find(({ op }) => op === 'integerConv2d')?.attrs['largest']
    }
    expect(await largestOf({})).toBe(63)
    expect(await largestOf({ weightBits: 8 })).toBe(127)
  })

  test('keeps layers in float32 that are asked for by name', async () => {
    const { model, layers } = await quantizeModel(resnet, { images, engine, keepFloat32: ['conv1', 'fc'] })
    expect(layers.filter(({ dtype }) => dtype === 'float32').map(({ name }) => name)).toEqual(['conv1', 'fc'])
    expect(model.weights.get('conv1.weight')).toBeInstanceOf(Float32Array)
    expect(farthest(await probabilities(resnet), await probabilities(model))).toBeLessThan(0.05)
  })

  test('is not quantized again, nor made from images that say nothing', async () => {
    const { model } = await quantizeModel(resnet, { images, engine })
    await expect(quantizeModel(model, { images, engine })).rejects.toThrow(
      "resnet8 is quantized: 'conv1.weight' is int8. Start from the model that it was made from",
    )
    const of = (pixels: Uint8Array, count: number, size: readonly [number, number, number] = [16, 16, 3]) =>
      arrayDataset({
        name: 'photos',
        images: pixels,
        labels: new Int32Array(count),
        imageShape: size,
        classes: resnet.labels,
      })
    const bad = (data: ReturnType<typeof of>) => quantizeModel(resnet, { images: data, engine })
    await expect(bad(of(new Uint8Array(2 * 768).fill(9), 2))).rejects.toThrow(
      "all 2 images of 'photos' are of one color: ranges are found on photos",
    )
    const red = Uint8Array.from({ length: 3 * 768 }, (_, i) => [200, 40, 30][i % 3])
    await expect(bad(of(red, 3))).rejects.toThrow("all 3 images of 'photos' are of one color")
    await expect(bad(of(new Uint8Array(0), 0))).rejects.toThrow("images: data set 'photos' has no images")
    await expect(bad(of(new Uint8Array(3 * 192), 3, [8, 8, 3]))).rejects.toThrow(/8×8×3/)
    await expect(quantizeModel(resnet, { images, engine, keepFloat32: ['conv9'] })).rejects.toThrow(
      "keepFloat32: 'conv9' matches no layer; there are conv1, ",
    )
  })
})

describe('ranges', () => {
  test('hold 0 as one of their numbers, and rounding moves no number of theirs by more than half a step', () => {
    const end = fc.float({ min: 0, max: 1000, noNaN: true })
    fc.assert(
      fc.property(end, end, fc.double({ min: 0, max: 1, noNaN: true }), (below, above, at) => {
        const { scale, zeroPoint } = scaleOf({ low: -below, high: above })
        expect(Number.isInteger(zeroPoint)).toBe(true)
        const x = -below + at * (below + above)
        const q = Math.min(Math.max(Math.round(x / scale) + zeroPoint, 0), 255)
        // The zero point has been rounded too, which may cut half a step off at an end.
        expect(Math.abs((q - zeroPoint) * scale - x)).toBeLessThanOrEqual(1.01 * scale)
      }),
    )
  })

  test('of long tails are cut, of even numbers are not', () => {
    const bell = Float32Array.from({ length: 20_000 }, (_, i) => normalAt(1, i)).sort()
    bell[0] = -40
    bell[bell.length - 1] = 40
    const even = Float32Array.from({ length: 20_000 }, (_, i) => i / 20_000)
    for (const method of rangeMethods) {
      if (method === 'min-max') continue
      const range = (numbers: Float32Array) => {
        const histogram = new Histogram({ low: Math.min(0, numbers[0]), high: numbers[numbers.length - 1] })
        histogram.add(numbers)
        return rangeBy(method, histogram)
      }
      const cut = range(bell)
      expect(cut.high, method).toBeLessThan(bell[bell.length - 1])
      expect(cut.low, method).toBeGreaterThan(bell[0])
      expect(range(even).high, method).toBeGreaterThan(0.99)
      expect(range(even).low, method).toBe(0)
    }
  })
})

test('by squared error, one image of activations a hundred times as large does not decide about the others', () => {
  const image = (times: number, key: number) =>
    Float32Array.from({ length: 500 }, (_, i) => times * Math.abs(normalAt(key, i)))
  const images = [...Array.from({ length: 50 }, (_, key) => image(1, key)), image(100, 50)]
  const range = { low: 0, high: Math.max(...images.flatMap(one => [...one])) }
  const [counted, weighed] = [new Histogram(range), new Histogram(range)]
  for (const one of images) {
    counted.add(one)
    addByEnergy(weighed, one)
  }
  expect(rangeBy('mse', counted).high).toBeGreaterThan(0.5 * range.high)
  expect(rangeBy('mse', weighed).high).toBeLessThan(0.2 * range.high)
})
