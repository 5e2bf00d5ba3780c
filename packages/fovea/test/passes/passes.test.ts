/** @file Each pass shows the graph after it as text. */
import { describe, expect, test } from 'vitest'
import type { Value } from '../../src/graph/graph.js'
import { printGraph } from '../../src/graph/print.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'
import { foldBatchNorm } from '../../src/passes/fold-batch-norm.js'
import { fuse } from '../../src/passes/fuse.js'
import { inferenceMode } from '../../src/passes/inference-mode.js'
import { mixedPrecision } from '../../src/passes/mixed-precision.js'
import { setBatchSize } from '../../src/passes/set-batch-size.js'
import { trainingMode } from '../../src/passes/training-mode.js'
import { text } from './graph-text.js'
import { residualBlock } from './residual-block.js'

test('the graph before', () => {
  expect(text(residualBlock())).toMatchInlineSnapshot(`
    "%image = input() : float32 1×4×4×3
    %conv1 = conv2d(%image, %conv1.weight) : float32 1×4×4×8
    %bn1 = batchNorm(%conv1, %bn1.weight, %bn1.bias, %bn1.running_mean, %bn1.running_var) epsilon=0.00001 momentum=0.1 : float32 1×4×4×8
    %relu1 = relu(%bn1) : float32 1×4×4×8
    %conv2 = conv2d(%relu1, %conv2.weight) : float32 1×4×4×8
    %bn2 = batchNorm(%conv2, %bn2.weight, %bn2.bias, %bn2.running_mean, %bn2.running_var) epsilon=0.00001 momentum=0.1 : float32 1×4×4×8
    %sum = add(%bn2, %relu1) : float32 1×4×4×8
    %relu2 = relu(%sum) : float32 1×4×4×8
    %pool = globalAveragePool(%relu2) : float32 1×1×1×8
    %flatten = flatten(%pool) : float32 1×8
    %dropout = dropout(%flatten) rate=0.5 stream=0 : float32 1×8
    %fc = linear(%dropout, %fc.weight) : float32 1×10
    output logits = %fc
    "
  `)
})

test('set-batch-size changes every activation', () => {
  expect(text(setBatchSize(residualBlock(), 5))).toMatchInlineSnapshot(`
    "%image = input() : float32 5×4×4×3
    %conv1 = conv2d(%image, %conv1.weight) : float32 5×4×4×8
    %bn1 = batchNorm(%conv1, %bn1.weight, %bn1.bias, %bn1.running_mean, %bn1.running_var) epsilon=0.00001 momentum=0.1 : float32 5×4×4×8
    %relu1 = relu(%bn1) : float32 5×4×4×8
    %conv2 = conv2d(%relu1, %conv2.weight) : float32 5×4×4×8
    %bn2 = batchNorm(%conv2, %bn2.weight, %bn2.bias, %bn2.running_mean, %bn2.running_var) epsilon=0.00001 momentum=0.1 : float32 5×4×4×8
    %sum = add(%bn2, %relu1) : float32 5×4×4×8
    %relu2 = relu(%sum) : float32 5×4×4×8
    %pool = globalAveragePool(%relu2) : float32 5×1×1×8
    %flatten = flatten(%pool) : float32 5×8
    %dropout = dropout(%flatten) rate=0.5 stream=0 : float32 5×8
    %fc = linear(%dropout, %fc.weight) : float32 5×10
    output logits = %fc
    "
  `)
  expect(() => setBatchSize(residualBlock(), 0)).toThrow('the batch size must be a whole number of at least 1, got 0')
})

test('inference-mode drops dropout', () => {
  expect(text(inferenceMode(residualBlock()))).toMatchInlineSnapshot(`
    "%image = input() : float32 1×4×4×3
    %conv1 = conv2d(%image, %conv1.weight) : float32 1×4×4×8
    %bn1 = batchNorm(%conv1, %bn1.weight, %bn1.bias, %bn1.running_mean, %bn1.running_var) epsilon=0.00001 momentum=0.1 : float32 1×4×4×8
    %relu1 = relu(%bn1) : float32 1×4×4×8
    %conv2 = conv2d(%relu1, %conv2.weight) : float32 1×4×4×8
    %bn2 = batchNorm(%conv2, %bn2.weight, %bn2.bias, %bn2.running_mean, %bn2.running_var) epsilon=0.00001 momentum=0.1 : float32 1×4×4×8
    %sum = add(%bn2, %relu1) : float32 1×4×4×8
    %relu2 = relu(%sum) : float32 1×4×4×8
    %pool = globalAveragePool(%relu2) : float32 1×1×1×8
    %flatten = flatten(%pool) : float32 1×8
    %fc = linear(%flatten, %fc.weight) : float32 1×10
    output logits = %fc
    "
  `)
})

describe('fuse', () => {
  test('joins batch-norm, residual and activation', () => {
    expect(text(fuse(residualBlock()))).toMatchInlineSnapshot(`
      "%image = input() : float32 1×4×4×3
      %conv1 = conv2d(%image, %conv1.weight) : float32 1×4×4×8
      %bn1 = batchNorm(%conv1, %bn1.weight, %bn1.bias, %bn1.running_mean, %bn1.running_var) epsilon=0.00001 momentum=0.1 activation=relu : float32 1×4×4×8
      %conv2 = conv2d(%bn1, %conv2.weight) : float32 1×4×4×8
      %bn2 = batchNorm(%conv2, %bn2.weight, %bn2.bias, %bn2.running_mean, %bn2.running_var, %bn1) epsilon=0.00001 momentum=0.1 activation=relu : float32 1×4×4×8
      %pool = globalAveragePool(%bn2) : float32 1×1×1×8
      %flatten = flatten(%pool) : float32 1×8
      %dropout = dropout(%flatten) rate=0.5 stream=0 : float32 1×8
      %fc = linear(%dropout, %fc.weight) : float32 1×10
      output logits = %fc
      "
    `)
  })

  test('leaves a batch-norm alone whose value has another reader', () => {
    const builder = new GraphBuilder()
    const zeros = { type: 'zeros' } as const
    const x = builder.input('x', [1, 2, 2, 4])
    const state = ['w', 'b'].map(name => builder.parameter(name, [4], zeros))
    const statistics = ['m', 'v'].map(name => builder.buffer(name, [4], zeros))
    const attrs = { epsilon: 1e-5, momentum: 0.1 }
    const norm = builder.emit(ops.batchNorm, [x, ...state, ...statistics], attrs)
    builder.output('activated', builder.emit(ops.relu, [norm], {}))
    builder.output('norm', norm)
    const graph = builder.build()
    expect(text(fuse(graph))).toBe(text(graph))
  })
})

test('fold-batch-norm leaves convolutions that add, activate and share the old parameters', () => {
  expect(text(foldBatchNorm(inferenceMode(residualBlock())))).toMatchInlineSnapshot(`
    "%image = input() : float32 1×4×4×3
    %conv1.folded = foldedWeights(%conv1.weight, %bn1.weight, %bn1.bias, %bn1.running_mean, %bn1.running_var) epsilon=0.00001 : float32 8×3×3×3, float32 8
    %conv1 = conv2d(%image, %conv1.folded.0, %conv1.folded.1) activation=relu : float32 1×4×4×8
    %conv2.folded = foldedWeights(%conv2.weight, %bn2.weight, %bn2.bias, %bn2.running_mean, %bn2.running_var) epsilon=0.00001 : float32 8×8×3×3, float32 8
    %conv2 = conv2d(%conv1, %conv2.folded.0, %conv2.folded.1, %conv1) activation=relu : float32 1×4×4×8
    %pool = globalAveragePool(%conv2) : float32 1×1×1×8
    %flatten = flatten(%pool) : float32 1×8
    %fc = linear(%flatten, %fc.weight) : float32 1×10
    output logits = %fc
    "
  `)
})

test('without a norm in between, a convolution takes in what is added and the activation; what has no bias, the activation alone', () => {
  const builder = new GraphBuilder()
  const x = builder.input('image', [1, 4, 4, 2])
  const attrs = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 } as const
  const conv = (name: string, ...bias: Value[]) => {
    const weight = builder.parameter(`${name}.weight`, [2, 2, 1, 1], { type: 'ones' })
    return builder.emit(ops.conv2d, [x, weight, ...bias], attrs, name)
  }
  const bias = builder.parameter('a.bias', [2], { type: 'ones' })
  const [a, b, c] = [conv('a', bias), conv('b'), conv('c')]
  const sum = builder.emit(ops.relu, [builder.emit(ops.add, [a, builder.emit(ops.silu, [b], {})], {})], {}, 'relu')
  builder.output('y', builder.emit(ops.relu, [builder.emit(ops.add, [c, sum], {}, 'sum')], {}, 'last'))
  expect(text(foldBatchNorm(builder.build()))).toMatchInlineSnapshot(`
    "%image = input() : float32 1×4×4×2
    %c = conv2d(%image, %c.weight) : float32 1×4×4×2
    %b = conv2d(%image, %b.weight) activation=silu : float32 1×4×4×2
    %a = conv2d(%image, %a.weight, %a.bias, %b) activation=relu : float32 1×4×4×2
    %sum = add(%c, %a) : float32 1×4×4×2
    %last = relu(%sum) : float32 1×4×4×2
    output y = %last
    "
  `)
})

test('a batch-norm after a convolution by weights of another type stays: folded weights are float32', () => {
  const builder = new GraphBuilder()
  const x = builder.input('image', [1, 4, 4, 2], 'bfloat16')
  const weight = builder.parameter('weight', [3, 2, 1, 1], { type: 'ones' }, 'bfloat16')
  const attrs = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 } as const
  const y = builder.emit(ops.conv2d, [x, weight], attrs)
  const perChannel = [1, 0, 0, 1].map(value => builder.constant(value, [3]))
  builder.output('y', builder.emit(ops.batchNorm, [y, ...perChannel], { epsilon: 1e-5, momentum: 0.1 }))
  const graph = builder.build()
  expect(printGraph(foldBatchNorm(graph))).toBe(printGraph(graph))
})

test('mixed-precision computes in 16 bits up to the last layer', () => {
  expect(text(mixedPrecision(fuse(residualBlock()), { precision: 'mixed_bfloat16' }))).toMatchInlineSnapshot(`
    "%image = input() : float32 1×4×4×3
    %image.bfloat16 = cast(%image) dtype=bfloat16 : bfloat16 1×4×4×3
    %conv1.weight.bfloat16 = cast(%conv1.weight) dtype=bfloat16 : bfloat16 8×3×3×3
    %conv1 = conv2d(%image.bfloat16, %conv1.weight.bfloat16) : bfloat16 1×4×4×8
    %bn1 = batchNorm(%conv1, %bn1.weight, %bn1.bias, %bn1.running_mean, %bn1.running_var) epsilon=0.00001 momentum=0.1 activation=relu : bfloat16 1×4×4×8
    %conv2.weight.bfloat16 = cast(%conv2.weight) dtype=bfloat16 : bfloat16 8×8×3×3
    %conv2 = conv2d(%bn1, %conv2.weight.bfloat16) : bfloat16 1×4×4×8
    %bn2 = batchNorm(%conv2, %bn2.weight, %bn2.bias, %bn2.running_mean, %bn2.running_var, %bn1) epsilon=0.00001 momentum=0.1 activation=relu : bfloat16 1×4×4×8
    %pool = globalAveragePool(%bn2) : bfloat16 1×1×1×8
    %flatten = flatten(%pool) : bfloat16 1×8
    %dropout = dropout(%flatten) rate=0.5 stream=0 : bfloat16 1×8
    %dropout.float32 = cast(%dropout) dtype=float32 : float32 1×8
    %fc = linear(%dropout.float32, %fc.weight) : float32 1×10
    output logits = %fc
    "
  `)
  expect(() => mixedPrecision(residualBlock(), { precision: 'bfloat16' as 'float32' })).toThrow(
    "precision: unknown 'bfloat16'; did you mean",
  )
})

test('training-mode uses the batch statistics, updates the running ones and feeds a seed', () => {
  expect(text(trainingMode(setBatchSize(fuse(residualBlock()), 2)))).toMatchInlineSnapshot(`
    "%image = input() : float32 2×4×4×3
    %conv1 = conv2d(%image, %conv1.weight) : float32 2×4×4×8
    %bn1 = batchNormTraining(%conv1, %bn1.weight, %bn1.bias) epsilon=0.00001 activation=relu : float32 2×4×4×8, float32 8, float32 8
    %bn1.running_mean.next = runningAverage(%bn1.running_mean, %bn1.1) momentum=0.1 scale=1 : float32 8
    %bn1.running_var.next = runningAverage(%bn1.running_var, %bn1.2) momentum=0.1 scale=1.032258064516129 : float32 8
    %conv2 = conv2d(%bn1.0, %conv2.weight) : float32 2×4×4×8
    %bn2 = batchNormTraining(%conv2, %bn2.weight, %bn2.bias, %bn1.0) epsilon=0.00001 activation=relu : float32 2×4×4×8, float32 8, float32 8
    %bn2.running_mean.next = runningAverage(%bn2.running_mean, %bn2.1) momentum=0.1 scale=1 : float32 8
    %bn2.running_var.next = runningAverage(%bn2.running_var, %bn2.2) momentum=0.1 scale=1.032258064516129 : float32 8
    %pool = globalAveragePool(%bn2.0) : float32 2×1×1×8
    %flatten = flatten(%pool) : float32 2×8
    %seed = input() : int32 scalar
    %dropout = dropout(%flatten, %seed) rate=0.5 stream=658024080 : float32 2×8
    %fc = linear(%dropout, %fc.weight) : float32 2×10
    output logits = %fc
    update bn1.running_mean = %bn1.running_mean.next
    update bn1.running_var = %bn1.running_var.next
    update bn2.running_mean = %bn2.running_mean.next
    update bn2.running_var = %bn2.running_var.next
    "
  `)
})
