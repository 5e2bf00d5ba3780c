/** @file Whole training steps on the native engine agree with the reference engine, in each precision. */
import type { Engine, Graph } from 'fovea/engine'
import { describe, expect, test } from 'vitest'
import { referenceEngine } from '../../fovea/src/engines/reference/reference.js'
import { stateNodes } from '../../fovea/src/graph/graph.js'
import type { Model } from '../../fovea/src/models/model.js'
import { createModel } from '../../fovea/src/models/registry.js'
import { fill } from '../../fovea/src/parity/fill.js'
import { initialLossScale } from '../../fovea/src/train/features/loss-scale.js'
import type { OptimizerOptions } from '../../fovea/src/train/optimizers/index.js'
import type { TrainingGraph } from '../../fovea/src/train/step-builder.js'
import { evaluationGraph, type TrainingGraphOptions, trainingGraph } from '../../fovea/src/train/training-graph.js'
import { type OnednnProgram, onednnEngine, onednnStatus } from '../src/index.js'

const { available, detail } = onednnStatus()
if (!available) console.warn(`skipped: ${detail}`)

const batch = 3

/** Somewhere in a run: where lookahead has its turn, and at the last part of a batch that has two. */
const moment = {
  ...{ epoch: 0, step: 9, part: 1, steps: 20, epochs: 1, seed: 7, learningRate: 0.01 },
  lossScale: { ...initialLossScale, scale: 1024 },
}

/** Outputs and states after a run with inputs by a formula. */
async function afterRun(
  engine: Engine,
  graph: Graph | TrainingGraph,
  model: Model,
): Promise<Map<string, Float32Array>> {
  const program = await engine.compile(graph)
  for (const { name, outputs } of stateNodes(graph)) {
    const values = model.weights.get(name)
    if (values !== undefined) await program.write(name, values)
    else await program.write(name, new Float32Array(outputs[0].shape.reduce((a, b) => a * b, 1)).fill(0.5))
  }
  const [height, width] = model.preprocessing.size
  const image = fill('input', [batch, height, width, 3])
  const outputs = await program.run(
    'feeds' in graph ? { image, label: Int32Array.of(1, 0, 2), ...graph.feeds(moment) } : { image },
  )
  const results = new Map(Object.entries(outputs).map(([name, values]) => [name, Float32Array.from(values)]))
  for (const { name } of stateNodes(graph)) results.set(name, Float32Array.from(await program.read(name)))
  program.dispose()
  return results
}

/** The largest difference over the tensors, by the root mean square of each (at least `least`). */
function largestError(a: Map<string, Float32Array>, b: Map<string, Float32Array>, least: number) {
  let worst = { name: '', error: 0 }
  for (const [name, values] of a) {
    const size = Math.max(least, Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length))
    const error = values.reduce((most, x, i) => Math.max(most, Math.abs(x - b.get(name)![i]) / size), 0)
    if (!(error <= worst.error)) worst = { name, error }
  }
  return worst
}

const optimizers: readonly OptimizerOptions[] = [
  { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-3 },
  { type: 'adam' },
  { type: 'adamw' },
  { type: 'rmsprop', weightDecay: 1e-3 },
]
/** Not the deeper ones: at this size their last norms are over three values, which no two orders of summation survive. */
const models = ['resnet8', 'resnet20', 'efficientnet-b0', 'cnn', 'speednet']

const create = (name: string): Model => createModel(name, { input: [32, 32, 3], classes: 5, seed: 2 })

/** What a step may do beside the optimizer. */
const extras: Record<string, Partial<TrainingGraphOptions>> = {
  'a moving average': { average: { type: 'moving', decay: 0.9 } },
  lookahead: { average: { type: 'lookahead', every: 5, decay: 0.9, power: 3 } },
  'cut gradients': { clipNorm: 0.1 },
  'a part of a batch, cut': { batchSize: 2 * batch, accumulate: 2, clipNorm: 0.1 },
  'weights with a rate of their own, biases frozen': {
    groups: [
      { match: '*.weight', rate: 10 },
      { match: '*.bias', rate: 0 },
    ],
  },
  'running statistics': { normStatistics: 'running' },
}

/** float16 rounds eight times finer than bfloat16. */
const tolerances = {
  float32: { logits: 1e-4 },
  mixed_bfloat16: { logits: 0.2, loss: 0.05, state: 1 },
  mixed_float16: { logits: 0.02, loss: 0.005, state: 0.2 },
}

/** In turns over the models; options.test.ts tries each option with every other, on a small one. */
const steps: readonly (readonly [model: string, what: string, options: Partial<TrainingGraphOptions>])[] = [
  ...optimizers.map(optimizer => [optimizer.type, { optimizer, labelSmoothing: 0.1 }] as const),
  ...Object.entries(extras),
].map(([what, options], i) => [models[i % models.length], what, options])

test.skipIf(!available).each(steps)('%s: a step with %s', async (name, _, options) => {
  const model = create(name)
  const optimizer = { type: 'sgd', momentum: 0.9 } as const
  const graph = trainingGraph(model.graph, { batchSize: batch, optimizer, ...options })
  const expected = await afterRun(referenceEngine({ precision: 'float64' }), graph, model)
  const worst = largestError(expected, await afterRun(onednnEngine({ threads: 2 }), graph, model), 1e-3)
  expect(worst.error, worst.name).toBeLessThan(0.02)
})

describe.skipIf(!available).each(models)('%s', name => {
  const model = create(name)

  test.each(['mixed_bfloat16', 'mixed_float16'] as const)('a step in %s', async precision => {
    const options = { batchSize: batch, optimizer: { type: 'sgd' }, precision } as const
    const graph = trainingGraph(model.graph, options)
    const expected = await afterRun(referenceEngine(), graph, model)
    const actual = await afterRun(onednnEngine({ threads: 2 }), graph, model)
    // Sums in other orders round to other 16-bit numbers, which norms over three values make large.
    if (name !== 'efficientnet-b0') {
      const { loss, state } = tolerances[precision]
      expect(Math.abs(actual.get('loss')![0] / expected.get('loss')![0] - 1)).toBeLessThan(loss)
      const { name, error } = largestError(expected, actual, 1e-3)
      expect(error, name).toBeLessThan(state)
    }
    for (const values of actual.values()) expect(values.every(Number.isFinite)).toBe(true)
  })

  test.each(['float32', 'mixed_bfloat16', 'mixed_float16'] as const)('inference in %s', async precision => {
    const graph = evaluationGraph(model.graph, batch, { precision })
    const expected = await afterRun(referenceEngine(), graph, model)
    const { name, error } = largestError(expected, await afterRun(onednnEngine({ threads: 2 }), graph, model), 1e-3)
    expect(error, name).toBeLessThan(tolerances[precision].logits)
  })
})

test.skipIf(!available)('with less memory the same step: activations are computed again', async () => {
  const model = createModel('efficientnet-b0', { input: [64, 64, 3], classes: 5 })
  const engine = onednnEngine({ threads: 2 })
  const [standard, low] = (['standard', 'low'] as const).map(memory =>
    trainingGraph(model.graph, { batchSize: batch, optimizer: { type: 'sgd' }, memory }),
  )
  const [actual, expected] = [await afterRun(engine, low, model), await afterRun(engine, standard, model)]
  expect([...actual.keys()]).toEqual([...expected.keys()])
  // Bytes: millions of numbers take long to compare one by one.
  for (const [name, { buffer }] of actual) {
    expect(Buffer.from(buffer).equals(Buffer.from(expected.get(name)!.buffer)), name).toBe(true)
  }
  const arenaBytes = async (graph: Graph): Promise<number> => (await engine.compile(graph)).memory.arenaBytes
  expect(await arenaBytes(low)).toBeLessThan(0.65 * (await arenaBytes(standard)))
})

test.skipIf(!available)(
  'what depends on the weights alone is computed at the first run after they are written only',
  async () => {
    const model = createModel('resnet8', { input: [16, 16, 3] })
    const graph = evaluationGraph(model.graph, 1)
    const program = (await onednnEngine().compile(graph)) as OnednnProgram
    for (const { name } of stateNodes(graph)) await program.write(name, model.weights.get(name)!)
    const image = new Float32Array(16 * 16 * 3).map((_, i) => Math.sin(i))
    const { logits } = await program.run({ image })
    program.profiling = true
    expect((await program.run({ image }))['logits']).toEqual(logits)
    const folded = () => program.profile().filter(({ node }) => node.op === 'foldedWeights')
    expect(folded().length).toBe(7)
    expect(folded().every(({ executions }) => executions.length === 0)).toBe(true)

    await program.write(
      'bn1.weight',
      Float32Array.from({ length: 16 }, () => 2),
    )
    expect((await program.run({ image }))['logits']).not.toEqual(logits)
    expect(folded().every(({ executions }) => executions.length === 1)).toBe(true)
  },
)
