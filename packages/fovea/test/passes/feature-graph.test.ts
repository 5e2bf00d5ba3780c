/** @file Claims about the features of a backbone: they are the values of the named nodes, and nothing else is computed. */
import { describe, expect, test } from 'vitest'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { type Graph, stateNodes } from '../../src/graph/graph.js'
import { createModel } from '../../src/models/registry.js'
import { featureGraph } from '../../src/passes/feature-graph.js'
import { normalAt } from '../../src/random.js'
import { writeState } from '../../src/train/state.js'
import { evaluationGraph } from '../../src/train/training-graph.js'

const model = createModel('resnet8', { input: [8, 8, 3], classes: 3 })
const image = Float32Array.from({ length: 2 * 192 }, (_, i) => normalAt(1, i))

async function outputsOf(graph: Graph) {
  const program = await referenceEngine().compile(graph)
  await writeState(program, graph, model.weights)
  return program.run({ image })
}

test('pooled, they are what the head makes logits of', async () => {
  const graph = evaluationGraph(featureGraph(model.graph, ['flatten']), 2)
  const { flatten: features } = await outputsOf(graph)
  const { logits } = await outputsOf(evaluationGraph(model.graph, 2))
  const [weight, bias] = ['fc.weight', 'fc.bias'].map(name => model.weights.get(name)!)
  const width = features.length / 2
  for (const [i, logit] of logits.entries()) {
    const [row, column] = [Math.floor(i / 3), i % 3]
    const products = Array.from({ length: width }, (_, c) => features[row * width + c] * weight[column * width + c])
    expect(products.reduce((sum, product) => sum + product, bias[column])).toBeCloseTo(logit, 5)
  }
  const states = stateNodes(graph).map(({ name }) => name)
  expect(states).not.toContain('fc.weight')
  expect(states.length).toBe(stateNodes(model.graph).length - 2)
})

test('several layers are several outputs, also where a norm is folded and an activation fused behind them', async () => {
  const names = ['conv1', 'bn1', 'relu', 'layer2.0.relu2']
  const graph = featureGraph(model.graph, names)
  expect([...graph.outputs].map(([name, { type }]) => [name, type.shape])).toEqual([
    ['conv1', [1, 8, 8, 16]],
    ['bn1', [1, 8, 8, 16]],
    ['relu', [1, 8, 8, 16]],
    ['layer2.0.relu2', [1, 4, 4, 32]],
  ])
  expect(graph.nodes.some(({ name }) => name.startsWith('layer3'))).toBe(false)
  const all = await outputsOf(evaluationGraph(graph, 2))
  for (const name of names) {
    const alone = await outputsOf(evaluationGraph(featureGraph(model.graph, [name]), 2))
    expect(alone[name].length).toBe(all[name].length)
    for (const [i, value] of alone[name].entries()) expect(value).toBeCloseTo(all[name][i], 5)
  }
  expect(all['relu']).toEqual(all['bn1'].map((value: number) => Math.max(0, value)))
})

describe('what is no layer is refused', () => {
  test.each([
    [['layer9.0.relu'], /unknown node 'layer9.0.relu'/],
    [['conv1.weight'], /unknown node 'conv1.weight'.*conv1/],
    [['conv1', 'conv1'], "the graph already has an output 'conv1'"],
  ])('%j', (names, message) => {
    expect(() => featureGraph(model.graph, names)).toThrow(message)
  })
})
