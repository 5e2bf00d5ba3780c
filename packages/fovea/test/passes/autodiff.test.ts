/** @file Claims about the backward pass: which nodes it is, and in which type gradients are. */
import { expect, test } from 'vitest'
import { createModel } from '../../src/models/registry.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'
import { autodiff } from '../../src/passes/autodiff.js'
import { fuse } from '../../src/passes/fuse.js'
import { inferenceMode } from '../../src/passes/inference-mode.js'
import { rewriteInto } from '../../src/passes/rewrite.js'
import { setBatchSize } from '../../src/passes/set-batch-size.js'
import { trainingMode } from '../../src/passes/training-mode.js'
import { trainingGraph } from '../../src/train/training-graph.js'
import { text } from './graph-text.js'
import { residualBlock } from './residual-block.js'

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
