/** @file Claims about a frozen part: its features are computed once, and the run is the one that computes them in each step. */
import { expect, test, vi } from 'vitest'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import type { Graph } from '../../src/graph/graph.js'
import { efficientnet } from '../../src/models/efficientnet.js'
import type { Model } from '../../src/models/model.js'
import { createModel } from '../../src/models/registry.js'
import { featureNode, frozenPart } from '../../src/passes/frozen-part.js'
import { trainingMode } from '../../src/passes/training-mode.js'
import { train } from '../../src/train/train.js'
import type { TrainOptions } from '../../src/train/train-options.js'
import type { Checkpoint } from '../../src/train/training-state.js'
import { stripeClasses, stripeData } from './patterns.js'

const engine = referenceEngine()
const model = createModel('resnet8', { input: [8, 8, 3], labels: stripeClasses, seed: 3 })
const onlyHead = [{ match: 'fc.*' }, { match: '*', rate: 0 }]

/** Which convolutions each compiled graph has. */
function watched() {
  const graphs: Graph[] = []
  const compile = vi.fn((graph: Graph, ...rest: [object?]) => {
    graphs.push(graph)
    return engine.compile(graph, ...rest)
  })
  const convolutions = () => graphs.map(({ nodes }) => nodes.filter(({ op }) => op.startsWith('conv2d')).length)
  return { engine: { ...engine, compile }, convolutions }
}

const run: Omit<TrainOptions, 'engine'> = {
  data: stripeData,
  epochs: 3,
  batchSize: 8,
  groups: onlyHead,
  augmentation: {},
  optimizer: { type: 'sgd', momentum: 0.9 },
  schedule: { type: 'constant', rate: 0.05 },
}

/** The same run with an augmentation that changes nothing: features are computed in each step. */
const inEachStep = { ...run, augmentation: { crop: { padding: 0 } } } as const

test('with a frozen backbone and no augmentation, steps and evaluations convolve nothing, and learn the same', async () => {
  const [once, each] = [watched(), watched()]
  const fast = await train(model, { ...run, engine: once.engine })
  const slow = await train(model, { ...inEachStep, engine: each.engine })
  expect(once.convolutions()).toEqual([9, 0, 0])
  expect(each.convolutions()).toEqual([9, 9])
  for (const [i, { loss, accuracy, validationLoss, validationAccuracy }] of slow.history.entries()) {
    expect(fast.history[i].loss).toBeCloseTo(loss, 4)
    expect(fast.history[i].validationLoss).toBeCloseTo(validationLoss as number, 4)
    expect([fast.history[i].accuracy, fast.history[i].validationAccuracy]).toEqual([accuracy, validationAccuracy])
  }
  expect([...fast.model.weights.keys()]).toEqual([...model.weights.keys()])
  for (const [name, values] of fast.model.weights) {
    if (name.startsWith('fc.')) expect(values).not.toEqual(model.weights.get(name))
    else expect(values).toEqual(model.weights.get(name))
  }
  const { accuracy } = await fast.evaluate(stripeData.test)
  expect(accuracy).toBe(fast.history.at(-1)?.validationAccuracy)
})

test('a part in the middle trains on what comes before it', async () => {
  const frozen = [...['conv1*', 'bn1*', 'layer1*', 'layer2*']].map(match => ({ match, rate: 0 }))
  const { engine: watching, convolutions } = watched()
  await train(model, { ...run, engine: watching, epochs: 1, groups: frozen })
  const [features, step] = convolutions()
  // Two convolutions and a shortcut, forward and by weights; by inputs but for the two that read the features.
  expect([features, step]).toEqual([6, 3 + 3 + 1])
})

test('a run that was stopped goes on to the same bits, from whole models', async () => {
  const saved: Checkpoint[] = []
  const options = { ...run, engine, average: { type: 'moving', decay: 0.9 } } as const
  const whole = await train(model, { ...options, save: checkpoint => void saved.push(checkpoint) })
  expect(saved.map(({ model }) => model.weights.size)).toEqual(Array(3).fill(model.weights.size))
  const { model: stopped, training } = saved[0]
  const resumed = await train(stopped, { ...options, resume: training as NonNullable<typeof training> })
  expect(resumed.model.weights).toEqual(whole.model.weights)
})

test.each<[string, Partial<TrainOptions>]>([
  ['averages', { average: { type: 'moving', decay: 0.9 } }],
  // After the first epoch it only gets worse.
  ['the best epoch', { earlyStopping: { patience: 1 }, schedule: { type: 'constant', rate: 3 } }],
])('a run that is done computes no features when it goes on, and has the same weights: %s', async (_, more) => {
  const saved: Checkpoint[] = []
  const options = { ...run, engine, ...more }
  const whole = await train(model, { ...options, save: checkpoint => void saved.push(checkpoint) })
  const { model: last, training } = saved.at(-1)!
  const features: unknown[] = []
  const done = await train(last, {
    ...{ ...options, resume: training as NonNullable<typeof training> },
    onStart: ({ features: report }) => void features.push(report),
  })
  expect([features, done.history.length]).toEqual([[undefined], saved.length])
  expect(done.model.weights).toEqual(whole.model.weights)
})

test.each<[string, Partial<TrainOptions>]>([
  ['images are changed', { augmentation: { flip: 'random' } }],
  ['the first layer trains', { groups: [{ match: 'conv1.*' }, { match: '*', rate: 0 }] }],
  ['layers train later', { groups: [{ match: 'fc.*' }, { match: '*', from: 1 }] }],
  ['another model teaches', { teacher: model }],
])('where %s, each step computes all', async (_, options) => {
  const { engine: watching, convolutions } = watched()
  await train(model, { ...run, epochs: 1, ...options, engine: watching })
  expect(convolutions().every(count => count >= 9)).toBe(true)
})

const isFrozen = (name: string): boolean => !name.startsWith('classifier') && !name.startsWith('fc')

test('what is frozen drops nothing at random; what the head drops, it drops', () => {
  const b0: Model = efficientnet({ variant: 'b0', input: [32, 32, 3], classes: 3 })
  const random = (graph: Graph) =>
    graph.nodes.filter(({ op }) => op === 'dropout' || op === 'stochasticDepth').map(({ op }) => op)
  expect(new Set(random(b0.graph))).toEqual(new Set(['dropout', 'stochasticDepth']))
  expect(random(trainingMode(b0.graph, 'running', isFrozen))).toEqual(['dropout'])
  expect(random(trainingMode(b0.graph, 'running'))).toEqual(random(b0.graph))
  expect(featureNode(b0.graph, isFrozen)?.op).toBe('flatten')
  expect(frozenPart(b0.graph, () => false).size).toBe(0)
})
