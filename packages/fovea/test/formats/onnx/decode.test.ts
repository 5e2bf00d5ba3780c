/** @file Claims about reading ONNX files that we wrote: models come back as they were, and files that are cut are refused. */
import { describe, expect, test } from 'vitest'
import { pruneChannels } from '../../../src/compress/prune-channels.js'
import { quantizeModel } from '../../../src/compress/quantize-model.js'
import { quantizeWeights, weightTypes } from '../../../src/compress/quantize-weights.js'
import { referenceEngine } from '../../../src/engines/reference/reference.js'
import { FormatError } from '../../../src/errors.js'
import { decodeCheckpoint, encodeCheckpoint } from '../../../src/formats/checkpoint.js'
import { decodeOnnx, onnx } from '../../../src/formats/onnx/decode.js'
import { encodeOnnx } from '../../../src/formats/onnx/encode.js'
import { decodeMessage, encodeMessage } from '../../../src/formats/onnx/wire.js'
import { stateNodes } from '../../../src/graph/graph.js'
import type { Model } from '../../../src/models/model.js'
import { createModel } from '../../../src/models/registry.js'
import { normalAt } from '../../../src/random.js'
import { evaluationGraph, trainingGraph } from '../../../src/train/training-graph.js'
import { noise } from '../../compress/noise.js'
import { every, used } from './models.js'

const engine = referenceEngine()
const BATCH = 2

async function logits(model: Model): Promise<Float32Array> {
  const graph = evaluationGraph(model.graph, BATCH)
  const program = await engine.compile(graph)
  for (const { name } of stateNodes(graph)) await program.write(name, model.weights.get(name)!)
  const length = BATCH * model.preprocessing.size.reduce((a, b) => a * b)
  const { logits } = await program.run({ image: Float32Array.from({ length }, (_, i) => normalAt(7, i)) })
  return logits as Float32Array
}

async function difference(a: Model, b: Model): Promise<number> {
  const [x, y] = [await logits(a), await logits(b)]
  return (
    x.reduce((most, v, i) => Math.max(most, Math.abs(v - y[i])), 0) /
    x.reduce((most, v) => Math.max(most, Math.abs(v)), 0)
  )
}

const file = (model: Model, options = {}): Uint8Array => Buffer.concat(encodeOnnx(model, options))
const small = { classes: 4, input: [16, 16, 3] } as const
const resnet = used(createModel('resnet8', { ...small, labels: ['cat', 'dog', 'owl', 'fox'] }))

describe('what encodeOnnx wrote comes back', () => {
  test.each<[string, () => Model]>([
    ['resnet8', () => resnet],
    ['resnet20', () => createModel('resnet20', small)],
    ['cnn, whose flattened images a matrix reads', () => createModel('cnn', { classes: 4, input: [24, 24, 1] })],
    ['efficientnet-b0', () => createModel('efficientnet-b0', { classes: 4, input: [32, 32, 3] })],
  ])('%s', async (_, build) => {
    const model = used(build())
    const read = decodeOnnx('a.onnx', file(model))
    expect(await difference(model, read)).toBeLessThan(1e-5)
    expect({ name: read.name, labels: read.labels, ...read.preprocessing }).toEqual({
      ...{ name: model.name, labels: model.labels, ...model.preprocessing },
    })
  })

  test('float16 as float32', async () => {
    const read = decodeOnnx('a.onnx', file(resnet, { precision: 'float16' }))
    expect(stateNodes(read.graph).every(({ outputs: [{ dtype }] }) => dtype === 'float32')).toBe(true)
    expect(await difference(resnet, read)).toBeLessThan(5e-3)
  })

  test.each(weightTypes)('weights that are kept in %s', async type => {
    const model = quantizeWeights(resnet, { type })
    const read = decodeOnnx('a.onnx', file(model))
    expect(await difference(model, read)).toBeLessThan(1e-5)
  })

  test('norms are in the weights, whatever these are kept in', () => {
    const operators = (model: Model) => {
      const { graph } = decodeMessage('ModelProto', file(model))
      return graph!.node.map(({ opType }) => opType)
    }
    expect(operators(resnet)).not.toContain('Mul')
    expect(operators(quantizeWeights(resnet))).not.toContain('Mul')
  })

  test.each(['resnet8', 'cnn'])('%s in integers, which stay integers', async name => {
    const model = used(createModel(name, { classes: 4, input: [24, 24, 3] }))
    const { model: integers } = await quantizeModel(model, { images: noise(model, 8), engine })
    const read = decodeOnnx('a.onnx', file(integers))
    expect(await difference(integers, read)).toBeLessThan(1e-6)
    const layers = (of: Model) => evaluationGraph(of.graph, 1).nodes.filter(({ op }) => op === 'integerConv2d').length
    expect(layers(read)).toBe(layers(integers))
  })

  test('and is saved, trained and pruned as any other', async () => {
    const read = decodeOnnx('a.onnx', file(resnet))
    const saved = Buffer.concat(encodeCheckpoint({ model: read }))
    expect(await difference(read, decodeCheckpoint('a.safetensors', saved).model)).toBe(0)
    const { updates } = trainingGraph(read.graph, { batchSize: 2, optimizer: { type: 'sgd', momentum: 0 } })
    for (const name of ['conv1.weight', 'layer1.0.conv1.bias', 'fc.weight']) expect([...updates.keys()]).toContain(name)
    const { model: pruned } = await pruneChannels(read, { amount: 0.5 })
    expect(pruned.weights.get('conv1.weight')!.length).toBeLessThan(read.weights.get('conv1.weight')!.length)
  })

  test('an operator that is not read is named', () => {
    expect(() => decodeOnnx('a.onnx', file(every))).toThrow(
      /^'a\.onnx' is not read: Erf '[^']*': this operator is not read$/,
    )
  })
})

test('cut at every 1 %, a file is refused by a FormatError', () => {
  const whole = file(resnet)
  expect(onnx.matches(whole)).toBe(true)
  for (let percent = 0; percent < 100; percent++) {
    expect(() => decodeOnnx('a.onnx', whole.subarray(0, Math.floor((whole.length * percent) / 100)))).toThrow(
      FormatError,
    )
  }
})

test('a saved model of ours is no ONNX file, and says so', () => {
  const ours = Buffer.concat(encodeCheckpoint({ model: resnet }))
  expect(onnx.matches(ours)).toBe(false)
  expect(() => decodeOnnx('a.onnx', ours)).toThrow(FormatError)
  expect(() => decodeMessage('ModelProto', ours)).toThrow(FormatError)
})

describe('numbers in a file beside it', () => {
  const model = createModel('resnet8', { input: [8, 8, 3], classes: 3 })
  const { graph, ...proto } = decodeMessage('ModelProto', Buffer.concat(encodeOnnx(model)))
  let offset = 0
  const apart = graph!.initializer.map(({ rawData, ...tensor }) => {
    const [start, length] = [offset, rawData!.length]
    offset += length
    return { tensor, start, bytes: rawData! }
  })
  const numbers = Buffer.concat(apart.map(({ bytes }) => bytes))
  /** @param change of what the first tensor says */
  const written = (change: Readonly<Record<string, string>> = {}): Uint8Array => {
    const initializer = apart.map(({ tensor, start, bytes }, i) => {
      const place = { location: 'a.data', offset: String(start), length: String(bytes.length), ...(i === 0 && change) }
      return { ...tensor, dataLocation: 1, externalData: Object.entries(place).map(([key, value]) => ({ key, value })) }
    })
    return Buffer.concat(encodeMessage('ModelProto', { ...proto, graph: { ...graph, initializer } }))
  }
  const asked = new Set<string>()
  const beside = (name: string): Uint8Array => {
    asked.add(name)
    return numbers
  }

  test('is read, once', () => {
    expect(decodeOnnx('a.onnx', written(), { beside }).weights).toEqual(
      decodeOnnx('a.onnx', Buffer.concat(encodeOnnx(model))).weights,
    )
    expect([...asked]).toEqual(['a.data'])
    expect(() => decodeOnnx('a.onnx', written())).toThrow("lies in another file, 'a.data': save the model as one file")
  })

  test.each([
    [{ location: '../a.data' }, "lies in '../a.data', which is no file in the same folder"],
    [{ location: '/etc/passwd' }, 'which is no file in the same folder'],
    [{ location: '' }, 'which is no file in the same folder'],
    [{ offset: '999999999' }, 'which has'],
    [{ length: '999999999' }, 'which has'],
    [{ offset: '-1' }, "has the offset '-1', which is no number"],
    [{ length: '1e9' }, "has the length '1e9', which is no number"],
    [{ length: '8' }, 'and it has 8'],
  ])('where it says %j, it is refused', (change, message) => {
    const read = () => decodeOnnx('a.onnx', written(change), { beside })
    expect(read).toThrow(FormatError)
    expect(read).toThrow(message)
    expect(asked.size).toBe(1)
  })
})
