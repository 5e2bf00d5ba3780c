/** @file Claims about what happens between autodiff and optimizer: parts of a batch, long gradients, loss scaling. */
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engines/engine.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { type Graph, inputNodes, stateNodes } from '../../src/graph/graph.js'
import type { Model } from '../../src/models/model.js'
import { createModel } from '../../src/models/registry.js'
import { add } from '../../src/ops/add.js'
import { cast } from '../../src/ops/cast.js'
import { rewrite } from '../../src/passes/rewrite.js'
import { normalAt, randomAt } from '../../src/random.js'
import { classification } from '../../src/train/classification.js'
import type { CombineGradients, ParameterGradient } from '../../src/train/features/gradient.js'
import { initialLossScale, nextLossScale } from '../../src/train/features/loss-scale.js'
import { writeState } from '../../src/train/state.js'
import type { StepBuilder } from '../../src/train/step-builder.js'
import { graphOptions, stepGraph, type TrainingGraphOptions, trainingGraph } from '../../src/train/training-graph.js'
import { stripeClasses as classes } from './patterns.js'
import { firstStep, small } from './small-model.js'

const engine = referenceEngine()
const images = Float32Array.from({ length: 8 * 192 }, (_, i) => normalAt(3, i))
const labels = Int32Array.from({ length: 8 }, (_, i) => Math.floor(3 * randomAt(4, i)))
const base: TrainingGraphOptions = { batchSize: 8, optimizer: { type: 'sgd', momentum: 0.9 } }

/** A program at the model's start. */
async function begin(graph: Graph, model: Model, on: Engine = engine) {
  const program = await on.compile(graph, {})
  await writeState(program, graph, model.weights)
  const state = async () =>
    new Map(
      await Promise.all(
        stateNodes(graph).map(async ({ name }) => [name, Float32Array.from(await program.read(name))] as const),
      ),
    )
  return { program, state }
}

describe('a batch in parts', () => {
  // Without norms, which see one part at a time, and without dropout, the sum of the parts is the whole.
  const model = createModel('cnn', { input: [22, 22, 3], labels: classes })
  const large = Float32Array.from({ length: 8 * 22 * 22 * 3 }, (_, i) => normalAt(5, i))

  test('updates once, by the mean over all of it', async () => {
    const whole = await begin(trainingGraph(model.graph, base), model)
    await whole.program.run({ image: large, label: labels, learningRate: 0.1 })
    const graph = trainingGraph(model.graph, { ...base, accumulate: 4 })
    const parts = await begin(graph, model)
    for (let part = 0; part < 4; part++) {
      const image = large.subarray((part * large.length) / 4, ((part + 1) * large.length) / 4)
      const label = labels.subarray(part * 2, part * 2 + 2)
      await parts.program.run({ image, label, ...graph.feeds({ ...firstStep, part }) })
      if (part < 3) expect((await parts.state()).get('fc2.weight')).toEqual(model.weights.get('fc2.weight'))
    }
    const [expected, got] = [await whole.state(), await parts.state()]
    for (const [name, values] of expected) {
      for (const [i, value] of values.entries()) expect(got.get(name)![i]).toBeCloseTo(value, 5)
    }
  })
})

describe('long gradients', () => {
  const step = async (clipNorm: number) => {
    const graph = trainingGraph(small().graph, { ...base, clipNorm, optimizer: { type: 'sgd' } })
    const { program, state } = await begin(graph, small())
    const { gradientNorm } = await program.run({ image: images, label: labels, learningRate: 1, seed: 0 })
    const moved = [...(await state())]
      .filter(([name]) => !name.includes('running'))
      .flatMap(([name, values]) => [...values].map((value, i) => value - small().weights.get(name)![i]))
    return { norm: gradientNorm[0], moved: Math.hypot(...moved) }
  }

  test('are cut to the longest norm, short ones are left as they are; the norm is told as it was', async () => {
    const free = await step(1e6)
    expect(free.moved).toBeCloseTo(free.norm, 5)
    const cut = await step(free.norm / 4)
    expect(cut.norm).toBeCloseTo(free.norm, 5)
    expect(cut.moved).toBeCloseTo(free.norm / 4, 5)
  })
})

describe('loss scaling', () => {
  const model = small()
  const graph = trainingGraph(model.graph, {
    ...base,
    precision: 'mixed_float16',
    keepFloat32: ['fc'],
    average: { type: 'moving', decay: 0.9 },
  })
  const feeds = { image: images, label: labels, learningRate: 0.1, seed: 0, averageWeight: 1 }

  test('the scale is taken out again: weights move as far, whatever it is', async () => {
    const after = async (lossScale: number) => {
      const { program, state } = await begin(graph, model)
      const { finite } = await program.run({ ...feeds, lossScale })
      expect(finite[0]).toBe(1)
      return (await state()).get('conv.weight')!
    }
    const [one, many] = [await after(1), await after(1024)]
    // Float16 holds small gradients better when they are scaled; the difference is its rounding.
    for (const [i, value] of many.entries()) expect(Math.abs(one[i] - value)).toBeLessThan(2e-3)
  })

  test('a step whose gradients overflow changes nothing at all: weights, slots, statistics, averages', async () => {
    const { program, state } = await begin(graph, model)
    await program.run({ ...feeds, lossScale: 64 })
    const before = await state()
    const { finite, loss } = await program.run({ ...feeds, lossScale: 2 ** 100 })
    expect(finite[0]).toBe(0)
    expect(Number.isFinite(loss[0])).toBe(true)
    expect(await state()).toEqual(before)
  })

  test('the scale begins at 65,536, is halved by an overflow and doubled by 2,000 steps without', () => {
    expect(initialLossScale).toEqual({ scale: 65_536, goodSteps: 0, skippedSteps: 0 })
    const halved = nextLossScale({ ...initialLossScale, goodSteps: 1500 }, false)
    expect(halved).toEqual({ scale: 32_768, goodSteps: 0, skippedSteps: 1 })
    let scale = halved
    for (let i = 0; i < 1999; i++) scale = nextLossScale(scale, true)
    expect(scale).toEqual({ scale: 32_768, goodSteps: 1999, skippedSteps: 1 })
    expect(nextLossScale(scale, true)).toEqual({ scale: 65_536, goodSteps: 0, skippedSteps: 1 })
  })
})

describe('what a step is fed', () => {
  const everything: TrainingGraphOptions = {
    ...base,
    ...{ precision: 'mixed_float16', accumulate: 2, clipNorm: 1, optimizer: { type: 'adam' } },
    ...{ groups: [{ match: 'fc.*', rate: 2 }], average: { type: 'lookahead', every: 2, decay: 0.5, power: 1 } },
  }

  test.each<[string, TrainingGraphOptions, string[]]>([
    ['plain', base, ['learningRate', 'seed']],
    [
      'with every option',
      everything,
      [
        ...['averageBack', 'averageWeight', 'firstPart', 'lastPart', 'learningRate', 'learningRate:0'],
        ...['lossScale', 'seed', 'step'],
      ],
    ],
  ])('%s: each scalar of its graph, and nothing else', (_, options, expected) => {
    const graph = trainingGraph(small().graph, options)
    expect(Object.keys(graph.feeds(firstStep)).sort()).toEqual(expected)
    const scalars = inputNodes(graph).filter(({ outputs: [{ shape }] }) => shape.length === 0)
    expect(scalars.map(({ name }) => name).sort()).toEqual(expected)
  })

  test('follows from the moment: the step, its parts, what was skipped, the rates', () => {
    const { feeds } = trainingGraph(small().graph, everything)
    const later = { ...firstStep, epoch: 1, step: 3, part: 1, lossScale: { scale: 8, goodSteps: 1, skippedSteps: 2 } }
    expect(feeds(later)).toMatchObject({ step: 12, lossScale: 8, firstPart: 0, lastPart: 1, averageBack: 1 })
    expect(feeds(later)).toMatchObject({ learningRate: 0.1, 'learningRate:0': 0.2 })
    expect(feeds({ ...later, part: 0 })).toMatchObject({ firstPart: 1, lastPart: 0 })
    const seeds = [later, { ...later, part: 0 }, { ...later, step: 4 }, { ...later, seed: 1 }].map(
      at => feeds(at)['seed'],
    )
    expect(new Set(seeds).size).toBe(4)
  })
})

test('what stands between autodiff and the rest is what the norm is of, and what the optimizer uses', async () => {
  const options = graphOptions.parse({ ...base, clipNorm: 1e6, optimizer: { type: 'sgd' } }, '')
  const twice = (builder: StepBuilder, gradients: readonly ParameterGradient[]) =>
    gradients.map(({ parameter, gradient }) => ({
      parameter,
      gradient: builder.emit(add, [gradient, gradient], {}, `${parameter.node.name}.twice`),
    }))
  const after = async (combine?: CombineGradients) => {
    const graph = stepGraph(small().graph, options, classification({ ...options, classes }).loss, combine)
    const { program, state } = await begin(graph, small())
    const { gradientNorm } = await program.run({ image: images, label: labels, ...graph.feeds(firstStep) })
    const [before, now] = [small().weights.get('fc.weight')!, (await state()).get('fc.weight')!]
    return { norm: gradientNorm[0], moved: Array.from(now, (value, i) => value - before[i]) }
  }
  const [plain, doubled] = [await after(), await after(twice)]
  expect(doubled.norm).toBeCloseTo(2 * plain.norm, 5)
  for (const [i, value] of doubled.moved.entries()) expect(value).toBeCloseTo(2 * plain.moved[i], 6)
  expect(Math.hypot(...plain.moved)).toBeGreaterThan(1e-3)
})

test('norms with running statistics neither use nor change those of the batch', async () => {
  const graph = trainingGraph(small().graph, { ...base, normStatistics: 'running' })
  const { program, state } = await begin(graph, small())
  await program.run({ image: images, label: labels, learningRate: 0.1, seed: 0 })
  const after = await state()
  expect(after.get('bn.running_mean')).toEqual(small().weights.get('bn.running_mean'))
  expect(after.get('bn.weight')).not.toEqual(small().weights.get('bn.weight'))
})

test('a parameter that is not float32 is refused by name, unless it is frozen', () => {
  const { graph: model } = createModel('resnet8', { input: [8, 8, 3] })
  const graph = rewrite(model, (node, { builder }) =>
    node.name === 'conv1.weight'
      ? [
          builder.emit(cast, [builder.parameter(node.name, node.outputs[0].shape, { type: 'ones' }, 'int8')], {
            dtype: 'float32',
          }),
        ]
      : undefined,
  )
  const options = { batchSize: 2, optimizer: { type: 'sgd' } } as const
  expect(() => trainingGraph(graph, options)).toThrow(
    "parameter 'conv1.weight' is int8, and only float32 trains: start from the model that was quantized, or freeze it by a group of rate 0",
  )
  const frozen = trainingGraph(graph, { ...options, groups: [{ match: 'conv1.weight', rate: 0 }] })
  expect(frozen.updates.has('conv1.weight')).toBe(false)
})
