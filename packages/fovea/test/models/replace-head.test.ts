/** @file Claims about a new head: it fits any model, and leaves all else as it was. */
import { expect, test } from 'vitest'
import { quantizeWeights } from '../../src/compress/quantize-weights.js'
import { decodeOnnx } from '../../src/formats/onnx/decode.js'
import { encodeOnnx } from '../../src/formats/onnx/encode.js'
import { decodeMessage, encodeMessage } from '../../src/formats/onnx/wire.js'
import type { Value } from '../../src/graph/graph.js'
import { buildModel, modelOptions } from '../../src/models/build.js'
import { createModel } from '../../src/models/registry.js'
import { headParameters, replaceHead } from '../../src/models/replace-head.js'
import { conv2d } from '../../src/nn/conv2d.js'
import type { Scope } from '../../src/nn/scope.js'
import { ops } from '../../src/ops/index.js'

test.each([
  ['resnet20', ['fc.weight', 'fc.bias']],
  ['efficientnet-b0', ['classifier.1.weight', 'classifier.1.bias']],
  ['cnn', ['fc2.weight', 'fc2.bias']],
  ['speednet', ['head.weight']],
])('%s has its head in %j; the new one is of the new size, the rest is the same', (name, head) => {
  const model = createModel(name, { input: [32, 32, 3], classes: 10 })
  expect(headParameters(model.graph)).toEqual(head)
  const other = replaceHead(model, ['cat', 'dog', 'bird'], 7)
  expect(other.labels).toEqual(['cat', 'dog', 'bird'])
  expect(other.graph.outputs.get('logits')!.type.shape).toEqual([1, 3])
  for (const [key, values] of model.weights) {
    if (head.includes(key)) expect(other.weights.get(key)!.length).toBe((values.length / 10) * 3)
    else expect(other.weights.get(key)).toBe(values)
  }
  expect(replaceHead(model, ['a', 'b', 'c'], 7).weights.get(head[0])).toEqual(other.weights.get(head[0]))
})

test('one class is no choice', () => {
  expect(() => replaceHead(createModel('resnet8'), ['cat'])).toThrow('at least 2 classes, got 1')
})

/** SqueezeNet's end (Iandola et al. 2016, arXiv 1602.07360): a convolution makes a map for each class, whose mean is the logit. */
const squeeze = (end: (scope: Scope, maps: Value, classes: number) => Value) =>
  buildModel('squeeze', modelOptions.parse({}, ''), { classes: 4, input: [6, 6, 3] }, (scope, image, classes) => {
    const features = conv2d(scope.at('features'), image, { filters: 5, kernel: 3, bias: true })
    return end(scope, conv2d(scope.at('classifier.1'), features, { filters: classes, bias: true }), classes)
  })
const pooled = squeeze(({ builder }, maps) => {
  const relu = builder.emit(ops.relu, [maps], {}, 'relu')
  return builder.emit(ops.flatten, [builder.emit(ops.globalAveragePool, [relu], {}, 'pool')], {}, 'flatten')
})
/** A reshape that has the number of classes, after numbers that are added to each. */
const shifted = squeeze((scope, maps, classes) => {
  const { builder } = scope
  const shift = scope.parameter('shift', [classes], { type: 'zeros' })
  const sum = builder.emit(ops.add, [builder.emit(ops.globalAveragePool, [maps], {}, 'pool'), shift], {}, 'sum')
  return builder.emit(ops.reshape, [sum], { shape: [-1, classes] }, 'reshape')
})
/** As an exporter of others writes it: no weight says how it started. */
const read = decodeOnnx('squeeze.onnx', Buffer.concat(encodeOnnx(pooled)))

test.each([
  ['a convolution that is pooled', pooled, ['classifier.1.weight', 'classifier.1.bias']],
  ['one read from ONNX', read, ['classifier.1.weight', 'classifier.1.bias']],
  ['one with numbers added, reshaped', shifted, ['classifier.1.weight', 'classifier.1.bias', 'shift']],
])('%s is a head', (_, model, head) => {
  expect(headParameters(model.graph)).toEqual(head)
  const other = replaceHead(model, ['a', 'b', 'c'])
  expect(other.graph.outputs.get('logits')!.type.shape).toEqual([1, 3])
  expect(other.weights.get('classifier.1.weight')!.length).toBe(15)
  expect(other.weights.get('classifier.1.weight')!.some(value => value !== 0)).toBe(true)
  expect(other.weights.get('features.weight')).toBe(model.weights.get('features.weight'))
})

test('a product and a sum that stand apart, as exporters write a layer, are both replaced', () => {
  const proto = decodeMessage(
    'ModelProto',
    Buffer.concat(encodeOnnx(createModel('cnn', { input: [32, 32, 3], classes: 4 }))),
  )
  const { node, ...graph } = proto.graph!
  const apart = node.flatMap(layer => {
    if (layer.opType !== 'Gemm' || layer.output[0] !== 'logits') return [layer]
    const [x, w, b] = layer.input
    return [
      { ...layer, input: [x, w], output: ['product'] },
      { ...layer, name: 'sum', opType: 'Add', input: ['product', b], output: ['logits'], attribute: [] },
    ]
  })
  expect(apart.length).toBe(node.length + 1)
  const bytes = Buffer.concat(encodeMessage('ModelProto', { ...proto, graph: { ...graph, node: apart } }))
  const other = replaceHead(decodeOnnx('cnn.onnx', bytes), ['a', 'b', 'c'])
  expect(other.graph.outputs.get('logits')!.type.shape).toEqual([1, 3])
})

test('what is no layer of floats is refused by name', () => {
  const integers = quantizeWeights(createModel('resnet8', { input: [8, 8, 3], classes: 4 }), { type: 'int8' })
  expect(() => replaceHead(integers, ['a', 'b'])).toThrow(
    /'fc\.weight', is int8: other classes need the model as it was/,
  )
  const flat = squeeze(({ builder }, maps) => {
    const all = builder.emit(ops.flatten, [maps], {}, 'flatten')
    return builder.emit(ops.slice, [all], { start: [0, 0], stop: [-1, 4], step: [1, 1] }, 'slice')
  })
  expect(() => replaceHead(flat, ['a', 'b'])).toThrow(/no layer to be its head: '(flatten|slice)'/)
})
