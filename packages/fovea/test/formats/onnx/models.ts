/** @file Models for tests of ONNX files: those that say most. */
import type { Value } from '../../../src/graph/graph.js'
import { buildModel, modelOptions } from '../../../src/models/build.js'
import type { Model } from '../../../src/models/model.js'
import { conv2d } from '../../../src/nn/conv2d.js'
import { linear } from '../../../src/nn/linear.js'
import type { Scope } from '../../../src/nn/scope.js'
import { ops } from '../../../src/ops/index.js'
import { normalAt } from '../../../src/random.js'

/** A model whose norms are not the identity, and whose logits are not all alike. */
export function used(model: Model): Model {
  for (const [name, values] of model.weights) {
    if (/running_mean|bias/.test(name)) for (const i of values.keys()) values[i] = 0.2 * normalAt(1, i)
    if (/running_var/.test(name)) for (const i of values.keys()) values[i] = Math.exp(0.3 * normalAt(2, i))
  }
  return model
}

export const network = (build: (scope: Scope, image: Value) => Value): Model =>
  buildModel('own', modelOptions.parse({}, ''), { classes: 4, input: [6, 6, 4] }, (scope, image, classes) => {
    const y = scope.builder.emit(ops.flatten, [build(scope, image)], {}, 'flatten')
    return linear(scope.at('fc'), y, { features: classes })
  })

/** A layer of every operator that has a form, with what is not as it is in common models. */
export const every = network((scope, image) => {
  const { builder } = scope
  const window = { kernel: [2, 3], stride: [1, 2], padding: [0, 1, 1, 1] } as const
  const emit = (op: keyof typeof ops, inputs: Value[], attrs: object = {}) =>
    builder.emit(ops[op] as never, inputs, attrs as never) as Value
  let x = conv2d(scope.at('conv'), image, { filters: 4, kernel: 3, bias: true })
  x = emit('add', [emit('gelu', [x]), emit('hardSwish', [image])])
  x = emit('multiply', [x, builder.constant([1, 2, 3, 4], [4])])
  x = emit('multiplyAdd', [
    x,
    builder.constant([0.5, 1, 1.5, 2, 2.5, 3], [1, 6, 1]),
    emit('reduceMax', [x], { axes: [1], keepDims: true }),
  ])
  x = emit('add', [x, emit('reduceMean', [x], { axes: [3], keepDims: true })])
  x = emit('pad', [x], { before: [0, 1, 0, 2], after: [0, 0, 3, 1], value: 0.5 })
  x = emit('slice', [x], { start: [0, 1, 0, 1], stop: [-1, -1, 8, -1], step: [1, 1, 3, 2] })
  x = emit('add', [emit('maxPool', [x], window), emit('averagePool', [x], { ...window, countPadding: false })])
  x = emit('multiply', [x, emit('softmax', [x])])
  x = emit('reshape', [x], { shape: [-1, 2, 6, 3] })
  return emit('reduceSum', [emit('relu6', [x])], { axes: [1], keepDims: false })
})
