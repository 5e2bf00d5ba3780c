/** @file What is done to a model before it is rounded: its channels are evened out, its biases corrected. */
import { expect, test } from 'vitest'
import { equalizeLayers } from '../../src/compress/equalize-layers.js'
import { foldNorms } from '../../src/compress/fold-norms.js'
import { quantizeModel } from '../../src/compress/quantize-model.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import type { Model } from '../../src/models/model.js'
import { createModel } from '../../src/models/registry.js'
import { initialWeights } from '../../src/nn/initializers.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'
import { predictProbabilities } from '../../src/train/predict.js'
import { noise } from './noise.js'

const engine = referenceEngine()
const small = createModel('resnet8', { classes: 4, input: [16, 16, 3] })
const images = noise(small, 32)
const pixels = new Uint8Array(32 * 768)
images.read([...Array(32).keys()], pixels)
const probabilities = (model: Model) => predictProbabilities(model, pixels, { engine })
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, p, i) => sum + (p - b[i]) ** 2, 0)

/** The same function, with channels of which some are a hundred times larger than their neighbours. */
const uneven = (() => {
  const model = foldNorms(small)
  const weights = new Map([...model.weights].map(([name, values]) => [name, values.slice()] as const))
  const [first, bias, second] = ['layer1.0.conv1.weight', 'layer1.0.conv1.bias', 'layer1.0.conv2.weight'].map(
    name => weights.get(name)!,
  )
  const channels = bias.length
  for (let c = 0; c < channels; c += 2) {
    for (let i = 0; i < first.length / channels; i++) first[(c * first.length) / channels + i] *= 100
    bias[c] *= 100
    for (let i = 0; i < second.length; i++) if (Math.floor(i / 9) % channels === c) second[i] /= 100
  }
  return { ...model, weights }
})()

test('equal channels compute the same, and bear rounding where uneven ones do not', async () => {
  const before = await probabilities(uneven)
  const even = equalizeLayers(uneven)
  expect(even.weights).not.toEqual(uneven.weights)
  expect(distance(before, await probabilities(even))).toBeLessThan(1e-8)
  const [as, equal] = await Promise.all(
    [false, true].map(async equalize => {
      const { model } = await quantizeModel(uneven, { images, engine, equalize, ranges: 'min-max' })
      return distance(before, await probabilities(model))
    }),
  )
  expect(equal).toBeLessThan(0.5 * as)
})

test('a channel of no weights keeps its bias as it is', () => {
  const model = foldNorms(small)
  const name = 'layer1.0.conv1'
  const [weight, bias] = ['weight', 'bias'].map(part => model.weights.get(`${name}.${part}`)!.slice())
  weight.fill(1e-9, 0, weight.length / bias.length)
  bias[0] = 0.3
  const weights = new Map([...model.weights, [`${name}.weight`, weight], [`${name}.bias`, bias]])
  const even = equalizeLayers({ ...model, weights }).weights.get(`${name}.bias`)!
  expect(Math.abs(even[0])).toBeLessThan(3)
})

test('depthwise layers are evened out with both of their neighbours', async () => {
  const builder = new GraphBuilder()
  const sizes = [
    [3, 8, 1],
    [8, 8, 8],
    [8, 6, 2],
  ] as const
  let x = builder.input('image', [1, 8, 8, 3])
  sizes.forEach(([channels, outputs, groups], i) => {
    const weight = builder.parameter(`${i}.weight`, [outputs, channels / groups, 3, 3], { type: 'uniform', bound: 1 })
    const bias = builder.parameter(`${i}.bias`, [outputs], { type: 'uniform', bound: 1 })
    const attrs = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups } as const
    const y = builder.emit(ops.conv2d, [x, weight, bias], attrs, `${i}`)
    x = i === 2 ? y : builder.emit(ops.relu, [y], {})
  })
  builder.output('logits', builder.emit(ops.flatten, [builder.emit(ops.globalAveragePool, [x], {})], {}))
  const graph = builder.build()
  const labels = ['a', 'b', 'c', 'd', 'e', 'f']
  const preprocessing = { ...small.preprocessing, size: [8, 8, 3] as const }
  const model = foldNorms({ name: 'depthwise', graph, weights: initialWeights(graph, 3), preprocessing, labels })
  const even = equalizeLayers(model)
  const run = (of: Model) => predictProbabilities(of, pixels.subarray(0, 4 * 192), { engine })
  expect(distance(await run(model), await run(even))).toBeLessThan(1e-8)
  const size = (name: string, channel: (i: number) => number, count: number) =>
    Array.from(even.weights.get(name)!).reduce((most: number[], w: number, i: number) => {
      most[channel(i)] = Math.max(most[channel(i)], Math.abs(w))
      return most
    }, Array<number>(count).fill(0))
  const withBias = (sizes: number[], name: string) =>
    sizes.map((most, c) => Math.max(most, Math.abs(even.weights.get(name)![c])))
  const out = withBias(
    size('0.weight', i => Math.floor(i / 27), 8),
    '0.bias',
  )
  const middle = size('1.weight', i => Math.floor(i / 9), 8)
  const into = size('2.weight', i => 4 * Math.floor(i / (3 * 4 * 9)) + (Math.floor(i / 9) % 4), 8)
  for (let c = 0; c < 8; c++) {
    expect(out[c]).toBeCloseTo(middle[c], 3)
    expect(withBias(middle, '1.bias')[c]).toBeCloseTo(into[c], 3)
  }
})

test('what has another activation than a relu behind it, or a residual, stays as it is', () => {
  const model = foldNorms(createModel('efficientnet-b0', { classes: 4, input: [32, 32, 3] }))
  const even = equalizeLayers(model)
  const changed = [...even.weights].filter(([name, values]) => values !== model.weights.get(name)).map(([name]) => name)
  // Only between a block's last convolution, which has no activation, and the next one's first is there none but a relu.
  expect(changed.length).toBeGreaterThan(0)
  expect(
    changed.every(name => /block\.(0|2|3)\.|features\.8/.test(name)),
    changed.join(),
  ).toBe(true)
})

test('corrected biases take back what rounding moved on average', async () => {
  const mean = (of: Float32Array): number[] =>
    Array.from({ length: 4 }, (_, c) => of.reduce((sum, p, i) => sum + (i % 4 === c ? p : 0), 0) / 32)
  const before = mean(await probabilities(small))
  const moved = async (correctBiases: boolean) => {
    const { model } = await quantizeModel(small, { images, engine, correctBiases, weightBits: 7, ranges: 'percentile' })
    return distance(before, mean(await probabilities(model)))
  }
  expect(await moved(true)).toBeLessThan(await moved(false))
})
