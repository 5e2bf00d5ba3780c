/** @file Claims about saved models: every model comes back as it was, from data alone; damaged ones are refused by name. */
import { describe, expect, test } from 'vitest'
import { FormatError } from '../../src/errors.js'
import {
  type Checkpoint,
  decodeCheckpoint,
  decodeWeights,
  encodeCheckpoint,
  type TrainingState,
} from '../../src/formats/checkpoint.js'
import { decodeGraph, encodeGraph, type GraphJson } from '../../src/formats/graph-json.js'
import { decodeSafetensors, encodeSafetensors } from '../../src/formats/safetensors.js'
import { printGraph } from '../../src/graph/print.js'
import { createModel, modelNames } from '../../src/models/registry.js'
import { trainingGraph } from '../../src/train/training-graph.js'

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
      "'x' holds weights without a description of their model: say which it is (eval: --model, train: before --from)",
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

  const described = (change: (description: Record<string, Record<string, unknown>>) => void): Uint8Array => {
    const { tensors, metadata } = decodeSafetensors('x', bytes)
    const description = JSON.parse(metadata['fovea'])
    change(description)
    return join(encodeSafetensors({ tensors, metadata: { fovea: JSON.stringify(description) } }))
  }
  test.each<[string, (description: Record<string, Record<string, unknown>>) => void, string]>([
    ['of a later version', d => Object.assign(d, { version: 2 }), 'its version is 2, this Fovea reads 1'],
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
