/** @file Claims about what a run does and leaves out: nothing twice, nothing that no step has made. */
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engines/engine.js'
import { stateNodes } from '../../src/graph/graph.js'
import { bestEpoch } from '../../src/train/early-stopping.js'
import { evaluate } from '../../src/train/evaluate.js'
import { train } from '../../src/train/train.js'
import type { TrainOptions } from '../../src/train/train-options.js'
import { trainingGraph } from '../../src/train/training-graph.js'
import type { Checkpoint } from '../../src/train/training-state.js'
import { stripeData } from './patterns.js'
import { small, stripeRun } from './small-model.js'

const { engine: plainEngine, ...options } = { ...stripeRun, batchSize: 16 }
const model = small()
const [trainImages, testImages] = [stripeData.train.length, stripeData.test.length]

/** An engine that counts what is asked of it, and which outputs are wanted. */
function countingEngine() {
  const counts = { compilations: 0, runs: 0, reads: 0 }
  const wanted = new Set<string>()
  const engine: Engine = {
    ...{ name: 'counting', description: '', threads: 1, weightBits: 8 },
    arithmetic: dtype => plainEngine.arithmetic(dtype),
    async compile(graph, how) {
      counts.compilations++
      const program = await plainEngine.compile(graph, how)
      return {
        memory: program.memory,
        run: (feeds, outputs) => {
          counts.runs++
          wanted.add(outputs?.join(', ') ?? 'all')
          return program.run(feeds, outputs)
        },
        read: name => {
          counts.reads++
          return program.read(name)
        },
        write: (name, data) => program.write(name, data),
        dispose: () => program.dispose(),
      }
    },
  }
  return { counts, wanted, engine }
}

describe('nothing is done twice', () => {
  const states = stateNodes(trainingGraph(model.graph, options)).length
  const batches = { train: trainImages / 16, test: Math.ceil(testImages / 16) }

  test('a run compiles a step and an evaluation, copies its state once an epoch, and has evaluated the last', async () => {
    const { counts, engine } = countingEngine()
    let copiedBefore = 0
    const run = await train(model, {
      ...{ ...options, engine },
      onStart: () => {
        copiedBefore = counts.reads
      },
      save: () => undefined,
    })
    expect(copiedBefore).toBe(0)
    const done = { compilations: 2, reads: 2 * states, runs: 2 * (batches.train + batches.test) }
    expect(counts).toEqual(done)
    const { seconds: _, ...last } = await run.evaluate()
    expect(counts).toEqual(done)
    const { seconds: __, ...again } = await evaluate(run.model, stripeData.test, { engine, batchSize: 16 })
    expect(last).toEqual(again)
  })

  test('with early stopping it has evaluated the best epoch', async () => {
    const { counts, engine } = countingEngine()
    // A rate so high that the loss soon grows.
    const growing = { schedule: { type: 'constant', rate: 1.5 }, earlyStopping: { patience: 2 }, epochs: 12 } as const
    const run = await train(model, { ...options, engine, ...growing })
    const best = run.history.length - 3
    expect(bestEpoch(run.history, 0)).toBe(best)
    const { compilations } = counts
    const { loss } = await run.evaluate()
    expect([loss, counts.compilations]).toEqual([run.history[best].validationLoss, compilations])
    expect((await evaluate(run.model, stripeData.test, { engine, batchSize: 16 })).loss).toBe(loss)
  })

  test.each<[string, Partial<TrainOptions>, string]>([
    ['cut gradients', { clipNorm: 1 }, 'loss, logits'],
    ['a loss scale', { precision: 'mixed_float16', accumulate: 2 }, 'loss, logits, finite'],
    ['a teacher', { teacher: model }, 'loss, logits'],
  ])('with %s, steps and evaluations are asked for the outputs that are read', async (_, more, step) => {
    const { wanted, engine } = countingEngine()
    await train(model, { ...options, ...more, engine, epochs: 1 })
    expect([...wanted].sort()).toEqual(['logits', step])
  })

  test('other images, and other views of the same, are measured', async () => {
    const { counts, engine } = countingEngine()
    const run = await train(model, { ...options, epochs: 1, engine })
    expect((await run.evaluate(stripeData.train)).images).toBe(trainImages)
    await run.evaluate(stripeData.test, { testTimeAugmentation: 'mirror' })
    expect(counts.compilations).toBe(4)
  })
})

test('a run says what it is made of before its first step', async () => {
  const told: unknown[] = []
  const run = await train(model, {
    ...options,
    engine: plainEngine,
    epochs: 1,
    onStart: start => void told.push(start),
  })
  expect(told).toEqual([{ settings: run.settings, epochs: 1 }])
})

test('what was saved stays as it was when the run goes on', async () => {
  const saved: Checkpoint[] = []
  await train(model, { ...options, engine: plainEngine, save: checkpoint => void saved.push(checkpoint) })
  expect(saved.map(({ training }) => training!.history.length)).toEqual([1, 2])
})

test.each<TrainOptions['average']>([
  { type: 'moving', decay: 0.9 },
  { type: 'lookahead', every: 2, decay: 0.5, power: 1 },
])('a run that is ended before its first step leaves the weights that it was given: average %j', async average => {
  const run = await train(model, {
    ...options,
    engine: plainEngine,
    ...(average && { average }),
    signal: { aborted: true },
  })
  expect(run.interrupted).toBe(true)
  expect(run.model.weights).toEqual(model.weights)
})
