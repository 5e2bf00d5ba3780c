/** @file What becomes integers, and that it is what it was, bit for bit. */

import { expect, test } from 'vitest'
import { quantizeModel } from '../../src/compress/quantize-model.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import type { Graph, Value } from '../../src/graph/graph.js'
import { buildModel, modelOptions } from '../../src/models/build.js'
import { conv2d } from '../../src/nn/conv2d.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'
import { integerArithmetic } from '../../src/passes/integer-arithmetic.js'
import { normalAt } from '../../src/random.js'
import { predictProbabilities } from '../../src/train/predict.js'
import { evaluationGraph } from '../../src/train/training-graph.js'
import { noise } from '../compress/noise.js'
import { runOnce } from '../engines/run-once.js'

/** Squeeze-and-excitation's product, rounded; with a second reader, if asked for. */
function scaled(kept: boolean): Graph {
  const builder = new GraphBuilder()
  const x = builder.input('x', [2, 3, 3, 5])
  const gate = builder.input('gate', [2, 1, 1, 5])
  const product = builder.emit(ops.multiply, [x, gate], {}, 'scaled')
  const scales: Value[] = [builder.constant(0.013), builder.constant(120, [], 'uint8')]
  builder.output('y', builder.emit(ops.quantize, [product, ...scales], { axis: null, dtype: 'uint8' }, 'rounded'))
  if (kept) builder.output('product', product)
  return builder.build()
}

test('a product that is read as integers alone is one operator, and the same integers', async () => {
  const graph = scaled(false)
  const integers = integerArithmetic(graph)
  expect(integers.nodes.map(({ op }) => op).filter(op => ['multiply', 'quantize'].includes(op))).toEqual([])
  expect(integers.outputs.get('y')!.node.op).toBe('quantizedProduct')
  const feeds = {
    x: Float32Array.from({ length: 90 }, (_, i) => normalAt(1, i)),
    gate: Float32Array.from({ length: 10 }, (_, i) => normalAt(2, i)),
  }
  const run = async (of: Graph) => (await runOnce(referenceEngine(), of, feeds))['y']
  expect(await run(integers)).toEqual(await run(graph))
})

test('a product that others read too stays as it is', () => {
  const graph = scaled(true)
  expect(integerArithmetic(graph).nodes.map(({ op }) => op)).toEqual(graph.nodes.map(({ op }) => op))
})

type Build = (builder: GraphBuilder, x: Value) => Value

/** Two layers with what `build` makes between them: its operators in integers, and what the model says before and after. */
async function between(build: Build) {
  const options = modelOptions.parse({}, '')
  const model = buildModel('between', options, { classes: 4, input: [8, 8, 3] }, (scope, image, classes) => {
    const { builder } = scope
    const first = conv2d(scope.at('first'), image, { filters: 8, kernel: 3, bias: true })
    const middle = build(builder, builder.emit(ops.relu, [first], {}))
    const last = conv2d(scope.at('last'), middle, { filters: classes })
    return builder.emit(ops.flatten, [builder.emit(ops.reduceMax, [last], { axes: [1, 2], keepDims: true })], {})
  })
  const engine = referenceEngine()
  const { model: integers } = await quantizeModel(model, { images: noise(model, 8), engine, ranges: 'min-max' })
  const { nodes } = evaluationGraph(integers.graph, 2)
  const pixels = new Uint8Array(8 * 192)
  noise(model, 8).read([...Array(8).keys()], pixels)
  const [before, after] = await Promise.all([model, integers].map(of => predictProbabilities(of, pixels, { engine })))
  return {
    ops: nodes.filter(({ op }) => !isLeaf(op)).map(({ op }) => op),
    distance: before.reduce((most, p, i) => Math.max(most, Math.abs(p - after[i])), 0),
  }
}

const isLeaf = (op: string): boolean => ['input', 'parameter', 'buffer', 'constant'].includes(op)
const three = { kernel: [3, 3], stride: [1, 1], padding: [1, 1, 1, 1] } as const
const maximum: Build = (builder, x) => builder.emitAll(ops.maxPool, [x], three)[0]
const mean: Build = (builder, x) => builder.emit(ops.averagePool, [x], { ...three, countPadding: true })
const sum: Build = (builder, x) => builder.emit(ops.add, [maximum(builder, x), mean(builder, x)], {})
const gated: Build = (builder, x) => builder.emit(ops.multiply, [x, builder.emit(ops.globalAveragePool, [x], {})], {})
const relu =
  (of: Build): Build =>
  (builder, x) =>
    builder.emit(ops.relu, [of(builder, x)], {})

test.each([
  ['a mean', mean, ['integerAveragePool']],
  ['a sum', sum, ['maxPool', 'integerAveragePool', 'integerAdd']],
  ['a sum and a relu', relu(sum), ['maxPool', 'integerAveragePool', 'integerAdd']],
  ['a product', gated, ['integerAveragePool', 'integerMultiply']],
])('%s between layers is computed in integers', async (_, build, expected) => {
  const { ops: made, distance } = await between(build)
  const layers = ['quantize', 'integerConv2d', 'integerConv2d']
  expect(made.filter(op => layers.includes(op) || expected.includes(op)).sort()).toEqual(
    [...layers, ...expected].sort(),
  )
  expect(made).not.toContain('dequantize')
  for (const op of ['averagePool', 'globalAveragePool', 'add', 'relu']) expect(made).not.toContain(op)
  expect(distance).toBeGreaterThan(0)
  expect(distance).toBeLessThan(0.05)
})

test('what reads floats as well stays float: their range is not known to be worth 8 bits', async () => {
  const { ops: made } = await between((builder, x) =>
    builder.emit(ops.add, [x, builder.emit(ops.gelu, [mean(builder, x)], {})], {}),
  )
  expect(made).toContain('add')
  expect(made).toContain('averagePool')
  expect(made.filter(op => op.startsWith('integer'))).toEqual(['integerConv2d', 'integerConv2d'])
})
