/** @file Claims about saved models: every model comes back as it was, from data alone; damaged ones are refused by name. */
import { deflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { FormatError } from '../../src/errors.js'
import { decodeCheckpoint, encodeCheckpoint } from '../../src/formats/checkpoint.js'
import { decodeGraph, encodeGraph, type GraphJson } from '../../src/formats/graph-json.js'
import { decodeWeights } from '../../src/formats/import-weights.js'
import { packText } from '../../src/formats/packed-text.js'
import { decodeSafetensors, encodeSafetensors } from '../../src/formats/safetensors.js'
import { stateNodes } from '../../src/graph/graph.js'
import { printGraph } from '../../src/graph/print.js'
import type { Model } from '../../src/models/model.js'
import { createModel, modelNames } from '../../src/models/registry.js'
import { initialWeights } from '../../src/nn/initializers.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'
import { trainingGraph } from '../../src/train/training-graph.js'
import type { Checkpoint, TrainingState } from '../../src/train/training-state.js'

const join = (chunks: readonly Uint8Array[]): Buffer => Buffer.concat(chunks)
const model = createModel('resnet8', { input: [8, 8, 3], labels: ['cat', 'dog', 'größer'] })

const training: TrainingState = {
  settings: { seed: 3, optimizer: { type: 'sgd', momentum: 0.9 }, epochs: 2 },
  data: 'fingerprint',
  epoch: 1,
  step: 4,
  lossSum: 0.1 + 0.2,
  correct: 7,
  history: [{ epoch: 1, loss: 1 / 3, accuracy: 0.5, validationLoss: 2 / 3, validationAccuracy: 0.25 }],
  slots: new Map([['fc.weight:velocity', Float32Array.from({ length: 3 * 64 }, (_, i) => i / 7)]]),
}

const stateTypes = ['float32', 'bfloat16', 'float16', 'float64', 'int32', 'int8', 'uint8'] as const

/** A model with a state of each type, and constants of numbers. */
function typedModel(): Model {
  const builder = new GraphBuilder()
  let sum = builder.emit(ops.flatten, [builder.input('image', [1, 1, 1, 2])], {})
  for (const dtype of stateTypes) {
    const kind = dtype.startsWith('float') ? 'parameter' : 'buffer'
    const state = builder[kind](dtype, [2], { type: 'ones' }, dtype)
    const moved = builder.emit(ops.add, [state, builder.constant([1, 2], [2], dtype)], {})
    sum = builder.emit(ops.add, [sum, builder.emit(ops.cast, [moved], { dtype: 'float32' })], {})
  }
  builder.output('logits', sum)
  const graph = builder.build()
  const preprocessing = { size: [1, 1, 2], mean: [0, 0], deviation: [1, 1] } as const
  return { name: 'typed', graph, weights: initialWeights(graph, 0), preprocessing, labels: ['a', 'b'] }
}

describe('graphs as data', () => {
  test.each(modelNames)('%s is rebuilt as it was', name => {
    const { graph } = createModel(name)
    const json = JSON.parse(JSON.stringify(encodeGraph(graph))) as unknown
    expect(printGraph(decodeGraph(json))).toBe(printGraph(graph))
  })

  test('a training step, with constants and updates, is rebuilt as it was', () => {
    const { graph } = createModel('efficientnet-b0', { input: [32, 32, 3], classes: 10 })
    const step = trainingGraph(graph, { batchSize: 2, optimizer: { type: 'adam' } })
    expect(printGraph(decodeGraph(JSON.parse(JSON.stringify(encodeGraph(step)))))).toBe(printGraph(step))
  })

  test('every type of state, and constants that are tensors, are rebuilt as they were', () => {
    const { graph } = typedModel()
    expect(printGraph(decodeGraph(JSON.parse(JSON.stringify(encodeGraph(graph)))))).toBe(printGraph(graph))
    for (const node of stateNodes(graph)) expect(printGraph(graph)).toContain(`${node.outputs[0].dtype} 2`)
  })

  const changed = (
    change: (json: { nodes: Record<string, unknown>[] } & Omit<GraphJson, 'nodes'>) => unknown,
  ): unknown => {
    const json = JSON.parse(JSON.stringify(encodeGraph(model.graph)))
    return change(json) ?? json
  }
  const node = (name: string, change: Record<string, unknown>): unknown =>
    changed(json => {
      Object.assign(json.nodes.find(entry => entry['name'] === name)!, change)
    })
  test.each([
    ['an unknown operator', node('relu', { op: 'eval' }), "node 'relu' has the unknown operator 'eval'"],
    ['a reference forward', node('relu', { inputs: [[999, 0]] }), "relu 'relu' inputs[0] refers to no earlier node"],
    ['a missing attribute', node('conv1', { attrs: {} }), "conv2d 'conv1'"],
    ['an attribute of another kind', node('conv1', { attrs: { stride: 'large' } }), "conv2d 'conv1'"],
    [
      'a state of an unknown type',
      node('conv1.weight', { dtype: 'int4' }),
      "parameter 'conv1.weight': unknown data type 'int4'",
    ],
    [
      'random integers',
      node('conv1.weight', { dtype: 'int8' }),
      "'conv1.weight' is int8: it starts as zeros or ones, not as normal",
    ],
    [
      'a weight of another type than its input',
      node('bn1.weight', { dtype: 'float16' }),
      "batchNorm 'bn1': weight must be float32, got float16",
    ],
    ['an attribute that is a function of nothing', node('conv1', { attrs: { stride: [[1]] } }), 'is not plain data'],
    [
      'an epsilon that is no number',
      node('bn1', { attrs: { epsilon: {}, momentum: 0.1 } }),
      'epsilon must be at least 0',
    ],
    [
      'a stride beyond reason',
      node('conv1', { attrs: { stride: [2 ** 53 - 1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } }),
      'stride must be at most',
    ],
    [
      'padding that makes an image of a terabyte',
      node('conv1', { attrs: { stride: [1, 1], padding: [1e6, 1e6, 1e6, 1e6], dilation: [1, 1], groups: 1 } }),
      'is too large',
    ],
    ['a missing input', node('bn1', { inputs: [] }), "batchNorm 'bn1'"],
    ['a shape that does not fit', node('fc.weight', { shape: [3, 65] }), "linear 'fc': input has 64 features"],
    ['a shape beyond all memory', node('fc.weight', { shape: [2 ** 20, 2 ** 20] }), 'is too large'],
    ['a name twice', node('bn1', { name: 'conv1' }), "two nodes are named 'conv1'"],
    ['an unknown type', node('image', { dtype: 'complex' }), "unknown data type 'complex'"],
    ['no nodes', {}, 'graph.nodes must be a list'],
    ['no object', [1], 'graph must be an object'],
  ])('%s is refused', (_, json, message) => {
    expect(() => decodeGraph(json)).toThrow(FormatError)
    expect(() => decodeGraph(json)).toThrow(message)
  })
})

describe('checkpoints', () => {
  const bytes = join(encodeCheckpoint({ model, training }))

  test('a model comes back with weights, labels, preprocessing and graph', () => {
    const read = decodeCheckpoint('x', bytes).model
    expect({ ...read, graph: printGraph(read.graph) }).toEqual({
      name: 'resnet8',
      graph: printGraph(model.graph),
      weights: model.weights,
      preprocessing: model.preprocessing,
      labels: ['cat', 'dog', 'größer'],
    })
  })

  test('the state of training comes back to the last bit', () => {
    expect(decodeCheckpoint('x', bytes).training).toEqual(training)
    expect(decodeCheckpoint('x', join(encodeCheckpoint({ model }))).training).toBeUndefined()
  })

  test('equal checkpoints are equal bytes, also after a round trip', () => {
    expect(join(encodeCheckpoint({ model, training })).equals(bytes)).toBe(true)
    expect(join(encodeCheckpoint(decodeCheckpoint('x', bytes))).equals(bytes)).toBe(true)
  })

  test('the weights stand under their names for any reader of safetensors', () => {
    const { tensors } = decodeSafetensors('x', bytes)
    expect(tensors.get('layer2.0.conv1.weight')).toMatchObject({ dtype: 'float32', shape: [32, 16, 3, 3] })
    expect(tensors.get('bn1.running_var')).toMatchObject({ shape: [16] })
  })

  test('weights in other float types are read', () => {
    const stored = decodeSafetensors('x', join(encodeCheckpoint({ model })))
    const asDoubles = new Map(
      [...stored.tensors].map(([name, { shape }]) => {
        const values = Float64Array.from(model.weights.get(name)!)
        return [name, { dtype: 'float64' as const, shape, bytes: new Uint8Array(values.buffer) }]
      }),
    )
    const file = join(encodeSafetensors({ tensors: asDoubles, metadata: {} }))
    expect(decodeWeights('x', file, model).weights).toEqual(model.weights)
    expect(() => decodeCheckpoint('x', file)).toThrow(
      "'x' holds weights without a description of their model: importWeights reads them for a model by name",
    )
  })

  test('weights keep their type in the file, and come back as they were', () => {
    const typed = typedModel()
    const file = join(encodeCheckpoint({ model: typed }))
    const { tensors } = decodeSafetensors('x', file)
    for (const dtype of stateTypes) expect(tensors.get(dtype)).toMatchObject({ dtype, shape: [2] })
    const { model: read } = decodeCheckpoint('x', file)
    expect(read.weights).toEqual(typed.weights)
    expect(join(encodeCheckpoint({ model: read })).equals(file)).toBe(true)
  })

  test('weights that are not of their type are refused by name, into a file and out of it', () => {
    const typed = typedModel()
    const weights = new Map([...typed.weights, ['int8', Float32Array.of(1, 2)]])
    expect(() => encodeCheckpoint({ model: { ...typed, weights } })).toThrow(
      "'int8': expected int8 2, got Float32Array",
    )
    const { tensors, metadata } = decodeSafetensors('x', join(encodeCheckpoint({ model: typed })))
    const swapped = new Map([...tensors, ['int8', { ...tensors.get('uint8')! }]])
    const file = join(encodeSafetensors({ tensors: swapped, metadata }))
    expect(() => decodeCheckpoint('f', file)).toThrow("'int8' is uint8, the model's is int8")
  })

  test('a constant too large for the header is refused before it is written', () => {
    const builder = new GraphBuilder()
    const image = builder.input('image', [1, 1, 1, 2])
    const table = builder.constant(new Float32Array(2 ** 20).fill(1 / 3), [2 ** 19, 2])
    const flat = builder.emit(ops.flatten, [image], {})
    builder.output(
      'logits',
      builder.emit(ops.add, [flat, builder.emit(ops.reduceMax, [table], { axes: [0], keepDims: true })], {}),
    )
    const large = { ...typedModel(), graph: builder.build(), weights: new Map() }
    expect(() => encodeCheckpoint({ model: large })).toThrow(
      /a graph of \d+ bytes, at most \d+ are read: is there a large constant\?/,
    )
  })

  test('weights of another model are refused with what does not fit', () => {
    const other = createModel('resnet20', { input: [8, 8, 3], classes: 3 })
    expect(() => decodeWeights('f', bytes, other)).toThrow(
      /'f' does not fit resnet20: it lacks layer1\.1\.conv1\.weight.* and \d+ more/,
    )
    const wide = createModel('resnet8', { input: [8, 8, 3], classes: 5 })
    expect(() => decodeWeights('f', bytes, wide)).toThrow("'fc.weight' is 3×64, the model's is 5×64")
  })

  test('a file of the first version, whose graph was not packed, is read', () => {
    const { tensors, metadata } = decodeSafetensors('x', bytes)
    const { model: described, ...rest } = JSON.parse(metadata['fovea'])
    const first = { ...rest, version: 1, model: { ...described, graph: encodeGraph(model.graph) } }
    const file = join(encodeSafetensors({ tensors, metadata: { fovea: JSON.stringify(first) } }))
    expect(file.length).toBeGreaterThan(bytes.length + 4000)
    expect(decodeCheckpoint('x', file)).toEqual(decodeCheckpoint('x', bytes))
  })

  const described = (change: (description: Record<string, Record<string, unknown>>) => void): Uint8Array => {
    const { tensors, metadata } = decodeSafetensors('x', bytes)
    const description = JSON.parse(metadata['fovea'])
    change(description)
    return join(encodeSafetensors({ tensors, metadata: { fovea: JSON.stringify(description) } }))
  }
  const cut = (of: (packed: string) => string) => (d: Record<string, Record<string, unknown>>) =>
    Object.assign(d['model'], { graph: of(String(d['model']['graph'])) })
  const bomb = Buffer.from(deflateRawSync(Buffer.alloc(64 << 20))).toString('base64')
  test.each<[string, (description: Record<string, Record<string, unknown>>) => void, string]>([
    ['of a later version', d => Object.assign(d, { version: 3 }), 'its version is 3, this Fovea reads 1 to 2'],
    ['with fewer labels', d => Object.assign(d['model'], { labels: ['cat'] }), 'it has 1 labels for 3 logits'],
    [
      'with another image size',
      d => Object.assign(d['model']['preprocessing'] as object, { size: [9, 9, 3] }),
      'its images are 9×9×3, its graph takes 1×8×8×3',
    ],
    [
      'with a deviation of 0',
      d => Object.assign(d['model']['preprocessing'] as object, { deviation: [0, 1, 1] }),
      'deviation must be above 0',
    ],
    ['with a graph that is cut short', cut(packed => packed.slice(0, 400)), 'graph is damaged: it cannot be unpacked'],
    ['with a graph that is no base64', cut(packed => `${packed}!`), 'graph is damaged: it cannot be unpacked'],
    ['with an empty graph', cut(() => ''), 'graph is damaged: it cannot be unpacked'],
    ['with a graph that is none', cut(() => packText('{')), 'graph is not JSON'],
    ['with a graph that fills the memory', cut(() => bomb), 'graph is longer than 16 MiB'],
    [
      'with a step that is no number',
      d => Object.assign(d['training'], { step: '4' }),
      'training.step must be a whole number',
    ],
  ])('%s is refused', (_, change, message) => {
    expect(() => decodeCheckpoint('f', described(change))).toThrow(message)
    expect(() => decodeCheckpoint('f', described(change))).toThrow("'f' is no checkpoint of Fovea")
  })

  test('a tensor that belongs to no parameter is refused', () => {
    const stray: Checkpoint = { model, training: { ...training, slots: new Map([['nowhere:m', new Float32Array(2)]]) } }
    expect(() => decodeCheckpoint('f', join(encodeCheckpoint(stray)))).toThrow("'nowhere:m' belongs to no parameter")
  })
})
