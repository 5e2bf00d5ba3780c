/** @file Each pass shows the graph after it as text; leaves are left out of the text. */
import { describe, expect, test } from 'vitest'
import type { Graph } from '../../src/graph/graph.js'
import { printGraph } from '../../src/graph/print.js'
import { createModel } from '../../src/models/registry.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'
import { autodiff } from '../../src/passes/autodiff.js'
import { foldBatchNorm } from '../../src/passes/fold-batch-norm.js'
import { fuse } from '../../src/passes/fuse.js'
import { inferenceMode } from '../../src/passes/inference-mode.js'
import { mixedPrecision } from '../../src/passes/mixed-precision.js'
import type { MemoryUse } from '../../src/passes/recompute.js'
import { rewriteInto } from '../../src/passes/rewrite.js'
import { setBatchSize } from '../../src/passes/set-batch-size.js'
import { trainingMode } from '../../src/passes/training-mode.js'
import { trainingGraph } from '../../src/train/training-graph.js'
import { residualBlock } from './residual-block.js'

const text = (graph: Graph): string =>
  printGraph(graph)
    .split('\n')
    .filter(line => !/ = (parameter|buffer|constant)\(/.test(line))
    .map(line => line.replace(/ stride=.*groups=1/, ''))
    .join('\n')

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
    %conv1.folded = foldBatchNorm(%conv1.weight, %bn1.weight, %bn1.bias, %bn1.running_mean, %bn1.running_var) epsilon=0.00001 : float32 8×3×3×3, float32 8
    %conv1 = conv2d(%image, %conv1.folded.0, %conv1.folded.1) activation=relu : float32 1×4×4×8
    %conv2.folded = foldBatchNorm(%conv2.weight, %bn2.weight, %bn2.bias, %bn2.running_mean, %bn2.running_var) epsilon=0.00001 : float32 8×8×3×3, float32 8
    %conv2 = conv2d(%conv1, %conv2.folded.0, %conv2.folded.1, %conv1) activation=relu : float32 1×4×4×8
    %pool = globalAveragePool(%conv2) : float32 1×1×1×8
    %flatten = flatten(%pool) : float32 1×8
    %fc = linear(%flatten, %fc.weight) : float32 1×10
    output logits = %fc
    "
  `)
})

test('mixed-precision computes in 16 bits between the first and the last layer', () => {
  expect(text(mixedPrecision(fuse(residualBlock()), { precision: 'mixed_bfloat16' }))).toMatchInlineSnapshot(`
    "%image = input() : float32 1×4×4×3
    %conv1 = conv2d(%image, %conv1.weight) : float32 1×4×4×8
    %bn1 = batchNorm(%conv1, %bn1.weight, %bn1.bias, %bn1.running_mean, %bn1.running_var) epsilon=0.00001 momentum=0.1 activation=relu : float32 1×4×4×8
    %bn1.bfloat16 = cast(%bn1) dtype=bfloat16 : bfloat16 1×4×4×8
    %conv2.weight.bfloat16 = cast(%conv2.weight) dtype=bfloat16 : bfloat16 8×8×3×3
    %conv2 = conv2d(%bn1.bfloat16, %conv2.weight.bfloat16) : bfloat16 1×4×4×8
    %bn2 = batchNorm(%conv2, %bn2.weight, %bn2.bias, %bn2.running_mean, %bn2.running_var, %bn1.bfloat16) epsilon=0.00001 momentum=0.1 activation=relu : bfloat16 1×4×4×8
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

describe('autodiff', () => {
  test('adds the backward pass as nodes and sums what several readers give', () => {
    const builder = new GraphBuilder()
    const graph = trainingMode(setBatchSize(fuse(inferenceMode(residualBlock())), 2))
    const { mapped } = rewriteInto(builder, graph)
    const label = builder.input('label', [2], 'int32')
    const loss = builder.emit(ops.crossEntropy, [mapped(graph.outputs.get('logits')!), label], { labelSmoothing: 0 })
    const parameters = graph.nodes.filter(node => node.op === 'parameter')
    const variables = parameters.map(node => mapped({ node, index: 0, type: node.outputs[0] }))
    autodiff(builder, loss, variables).forEach((gradient, i) => {
      builder.output(`d ${parameters[i].name}`, gradient!)
    })
    expect(text(builder.build())).toMatchInlineSnapshot(`
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
      %fc = linear(%flatten, %fc.weight) : float32 2×10
      %label = input() : int32 2
      %crossEntropy.dx = crossEntropyGradient(%fc, %label, %constant) labelSmoothing=0 : float32 2×10
      %fc.dx = linearInputGradient(%crossEntropy.dx, %fc.weight) : float32 2×8
      %fc.dw = linearWeightGradient(%flatten, %crossEntropy.dx) bias=false : float32 10×8
      %flatten.dx = reshape(%fc.dx) shape=[2,1,1,8] : float32 2×1×1×8
      %pool.dx = globalAveragePoolGradient(%flatten.dx) shape=[2,4,4,8] : float32 2×4×4×8
      %bn2.dx = batchNormGradient(%pool.dx, %conv2, %bn2.0, %bn2.weight, %bn2.bias, %bn2.1, %bn2.2, %bn1.0) epsilon=0.00001 activation=relu : float32 2×4×4×8, float32 8, float32 8, float32 2×4×4×8
      %conv2.dx = conv2dInputGradient(%bn2.dx.0, %conv2.weight) shape=[2,4,4,8] : float32 2×4×4×8
      %conv2.dw = conv2dWeightGradient(%bn1.0, %bn2.dx.0) shape=[8,8,3,3] bias=false : float32 8×8×3×3
      %bn1.gradient = add(%bn2.dx.3, %conv2.dx) : float32 2×4×4×8
      %bn1.dx = batchNormGradient(%bn1.gradient, %conv1, %bn1.0, %bn1.weight, %bn1.bias, %bn1.1, %bn1.2) epsilon=0.00001 activation=relu : float32 2×4×4×8, float32 8, float32 8
      %conv1.dw = conv2dWeightGradient(%image, %bn1.dx.0) shape=[8,3,3,3] bias=false : float32 8×3×3×3
      output logits = %fc
      output d conv1.weight = %conv1.dw
      output d bn1.weight = %bn1.dx.1
      output d bn1.bias = %bn1.dx.2
      output d conv2.weight = %conv2.dw
      output d bn2.weight = %bn2.dx.1
      output d bn2.bias = %bn2.dx.2
      output d fc.weight = %fc.dw
      update bn1.running_mean = %bn1.running_mean.next
      update bn1.running_var = %bn1.running_var.next
      update bn2.running_mean = %bn2.running_mean.next
      update bn2.running_var = %bn2.running_var.next
      "
    `)
  })

  test('the gradient of a weight that is read in float16 is never rounded to it, also as a sum', () => {
    const builder = new GraphBuilder()
    const weight = builder.parameter('weight', [2, 3], { type: 'ones' })
    const half = builder.emit(ops.cast, [weight], { dtype: 'float16' }, 'half')
    const y = builder.emit(ops.linear, [builder.input('x', [4, 3], 'float16'), half], {}, 'linear')
    const sums = [y, half].map(value => builder.emit(ops.reduceSum, [value], { axes: [0, 1], keepDims: false }))
    const total = builder.emit(ops.add, sums, {}, 'total')
    const loss = builder.emit(ops.cast, [total], { dtype: 'float32' }, 'loss')
    builder.output('gradient', autodiff(builder, loss, [weight])[0]!)
    expect(text(builder.build()).split('\n').slice(-7)).toMatchInlineSnapshot(`
      [
        "%reduceSum.dx.kept = reshape(%loss.dx) shape=[1,1] : float16 1×1",
        "%reduceSum.dx = broadcastTo(%reduceSum.dx.kept) shape=[4,2] : float16 4×2",
        "%linear.dw = linearWeightGradient(%x, %reduceSum.dx) bias=false : float32 2×3",
        "%half.gradient = cast(%reduceSum:2.dx) dtype=float32 : float32 2×3",
        "%half.gradient:2 = add(%half.gradient, %linear.dw) : float32 2×3",
        "output gradient = %half.gradient:2",
        "",
      ]
    `)
  })

  test('in mixed precision an update gets the gradient that a layer computes, without a cast', () => {
    const options = { batchSize: 2, optimizer: { type: 'sgd' }, precision: 'mixed_float16' } as const
    const { nodes } = trainingGraph(createModel('resnet8').graph, options)
    const updates = nodes.filter(({ op }) => op === 'sgd')
    expect(updates.length).toBeGreaterThan(20)
    for (const { inputs } of updates) {
      expect([inputs[1].type.dtype, inputs[1].node.op]).toEqual(['float32', expect.not.stringMatching('cast')])
    }
  })

  test('a loss that is no scalar is refused', () => {
    const builder = new GraphBuilder()
    const x = builder.input('x', [2, 3])
    expect(() => autodiff(builder, x, [x])).toThrow("the loss must be a scalar, 'x' is 2×3")
  })

  test('a variable that the loss does not depend on has no gradient', () => {
    const builder = new GraphBuilder()
    const [a, b] = ['a', 'b'].map(name => builder.parameter(name, [], { type: 'zeros' }))
    expect(autodiff(builder, builder.emit(ops.add, [a, a], {}), [b])).toEqual([undefined])
  })
})

describe('recompute', () => {
  const again = (graph: Graph): string[] =>
    text(graph)
      .split('\n')
      .filter(line => line.includes('.again'))
  const step = (model: Graph, memory?: MemoryUse) =>
    trainingGraph(model, { batchSize: 2, optimizer: { type: 'sgd' }, ...(memory && { memory }) })

  test('computes again what a weight gradient reads of a batch-norm, not what has a residual', () => {
    expect(again(step(residualBlock()))).toEqual([
      '%bn1.again = batchNorm(%conv1, %bn1.weight, %bn1.bias, %bn1.1, %bn1.2) epsilon=0.00001 activation=relu momentum=0 : float32 2×4×4×8',
      '%bn2.dx = batchNormGradient(%pool.dx, %conv2, %bn2.0, %bn2.weight, %bn2.bias, %bn2.1, %bn2.2, %bn1.again) epsilon=0.00001 activation=relu : float32 2×4×4×8, float32 8, float32 8, float32 2×4×4×8',
      '%conv2.dw = conv2dWeightGradient(%bn1.again, %bn2.dx.0) shape=[8,8,3,3] bias=false : float32 8×8×3×3',
    ])
  })

  test('computes exponentials and squeeze-and-excitation again only to save memory', () => {
    const { graph } = createModel('efficientnet-b0', { input: [32, 32, 3] })
    const [standard, low] = [again(step(graph)), again(step(graph, 'low'))]
    expect(standard.filter(line => / = batchNorm\(/.test(line)).length).toBe(7)
    expect(standard.some(line => line.includes('activation=silu') || / = multiply\(/.test(line))).toBe(false)
    expect(low.filter(line => / = multiply\(/.test(line)).length).toBe(16)
    expect(low.filter(line => / = batchNorm\(.*activation=silu/.test(line)).length).toBe(32)
  })

  test('an unknown use is refused', () => {
    expect(() => step(residualBlock(), 'lo' as MemoryUse)).toThrow("memory: unknown 'lo'; did you mean 'low'?")
  })
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
