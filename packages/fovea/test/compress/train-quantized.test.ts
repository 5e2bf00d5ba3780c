/** @file Quantization-aware training: a prepared model trains, and its integers compute as it did. */
import { expect, test } from 'vitest'
import { convertQuantization, roundsAsIntegers } from '../../src/compress/convert-quantization.js'
import { prepareQuantization } from '../../src/compress/prepare-quantization.js'
import { quantizeModel } from '../../src/compress/quantize-model.js'
import { quantizeWeights } from '../../src/compress/quantize-weights.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { decodeCheckpoint, encodeCheckpoint } from '../../src/formats/checkpoint.js'
import { evaluate } from '../../src/train/evaluate.js'
import { predictProbabilities } from '../../src/train/predict.js'
import { train } from '../../src/train/train.js'
import { evaluationGraph } from '../../src/train/training-graph.js'
import { stripeData } from '../train/patterns.js'
import { stripeModel as model, stripeRun } from '../train/small-model.js'

const engine = referenceEngine()
const images = stripeData.train
const { model: prepared, layers } = await prepareQuantization(model, { images, engine })
const pixels = new Uint8Array(6 * 192)
images.read([...Array(6).keys()], pixels)
const probabilities = (of: typeof model) => predictProbabilities(of, pixels, { engine })
const farthest = (a: Float32Array, b: Float32Array): number => Math.max(...a.map((p, i) => Math.abs(p - b[i])))

test('a prepared model computes as its integers do', async () => {
  expect(roundsAsIntegers(prepared)).toBe(true)
  expect(roundsAsIntegers(model)).toBe(false)
  const integers = convertQuantization(prepared)
  const [rounded, whole, before] = await Promise.all([prepared, integers, model].map(probabilities))
  expect(farthest(rounded, whole)).toBeLessThan(0.002)
  expect(farthest(rounded, before)).toBeGreaterThan(farthest(rounded, whole))
  expect(integers).toEqual((await quantizeModel(model, { images, engine })).model)
})

test('it trains, its ranges follow, and what it has learned is in its integers', async () => {
  const run = await train(prepared, {
    ...stripeRun,
    epochs: 3,
    optimizer: { type: 'adam' },
    schedule: { type: 'constant', rate: 0.003 },
  })
  const learned = await evaluate(run.model, stripeData.test, { engine })
  expect(learned.accuracy).toBeGreaterThan(0.9)
  const extents = (of: typeof model) => [...of.weights].filter(([name]) => name.endsWith('.extent'))
  expect(extents(run.model)).not.toEqual(extents(prepared))
  expect(
    extents(run.model)
      .flatMap(([, ends]) => [...ends])
      .every(end => end >= 0),
  ).toBe(true)

  const { model: saved } = decodeCheckpoint('prepared', Buffer.concat(encodeCheckpoint({ model: run.model })))
  const integers = convertQuantization(saved)
  expect(farthest(await probabilities(run.model), await probabilities(integers))).toBeLessThan(0.01)
  expect((await evaluate(integers, stripeData.test, { engine })).accuracy).toBeCloseTo(learned.accuracy, 1)
  const { nodes } = evaluationGraph(integers.graph, 2)
  expect(nodes.filter(({ op }) => op === 'integerConv2d')).toHaveLength(layers.length)
})

test('layers may be kept in float32 after all', async () => {
  const some = convertQuantization(prepared, { keepFloat32: ['conv1', 'fc'] })
  const before = await quantizeModel(model, { images, engine, keepFloat32: ['conv1', 'fc'] })
  expect(farthest(await probabilities(some), await probabilities(before.model))).toBeLessThan(0.01)
  expect(some.weights.get('conv1.weight')).toEqual(before.model.weights.get('conv1.weight'))
  expect(
    convertQuantization((await prepareQuantization(model, { images, engine, keepFloat32: ['fc'] })).model, {
      keepFloat32: ['fc', 'conv1'],
    }).weights.get('fc.weight'),
  ).toBeInstanceOf(Float32Array)
  expect(() => convertQuantization(prepared, { keepFloat32: ['conv9'] })).toThrow(
    "keepFloat32: 'conv9' matches no layer",
  )
})

test('a layer of zeros has no noise to tell of, and what is next to nothing stays so', async () => {
  const dead = [...model.weights].map(([name, values]) => {
    if (/^layer2\.0\.bn2\.(weight|bias)$/.test(name)) return [name, values.slice().fill(0)] as const
    return name === 'conv1.weight' ? ([name, values.slice().fill(1e-44, 0, 27)] as const) : ([name, values] as const)
  })
  const { model: some, layers: parts } = await prepareQuantization(
    { ...model, weights: new Map(dead) },
    { images, engine },
  )
  expect(JSON.parse(JSON.stringify(parts))).toEqual(parts)
  expect((await probabilities(some)).every(Number.isFinite)).toBe(true)
  expect(farthest(await probabilities(some), await probabilities(convertQuantization(some)))).toBeLessThan(0.01)
})

test('what is not prepared, or prepared already, is refused with what to do', async () => {
  expect(() => convertQuantization(model)).toThrow(
    'resnet8 is not prepared to be quantized: prepareQuantization makes such a model',
  )
  expect(() => quantizeWeights(prepared)).toThrow('resnet8 is prepared to be quantized')
  await expect(prepareQuantization(model, { images, engine, keepFloat32: ['*'] })).rejects.toThrow(
    'no layer of resnet8 becomes integers: keepFloat32 keeps all that could',
  )
  await expect(prepareQuantization(prepared, { images, engine })).rejects.toThrow(
    'resnet8 is prepared to be quantized: convertQuantization makes integers of it',
  )
})
