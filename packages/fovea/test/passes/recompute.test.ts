/** @file Claims about which activations are computed a second time in the backward pass. */
import { expect, test } from 'vitest'
import type { Graph } from '../../src/graph/graph.js'
import { createModel } from '../../src/models/registry.js'
import type { MemoryUse } from '../../src/passes/recompute.js'
import { trainingGraph } from '../../src/train/training-graph.js'
import { text } from './graph-text.js'
import { residualBlock } from './residual-block.js'

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
