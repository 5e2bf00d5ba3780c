/** @file Claims about learning from a teacher: the loss is Hinton's, the student comes near it, and a run that goes on ends alike. */
import { describe, expect, test } from 'vitest'
import { referenceEngine } from '../../../src/engines/reference/reference.js'
import { decodeCheckpoint, encodeCheckpoint } from '../../../src/formats/checkpoint.js'
import { createModel } from '../../../src/models/registry.js'
import { evaluate } from '../../../src/train/evaluate.js'
import { findLearningRate } from '../../../src/train/find-learning-rate.js'
import { probabilities } from '../../../src/train/metrics.js'
import { writeState } from '../../../src/train/state.js'
import { train } from '../../../src/train/train.js'
import { trainingGraph } from '../../../src/train/training-graph.js'
import type { Checkpoint } from '../../../src/train/training-state.js'
import { stripeData } from '../patterns.js'
import { small, stripeModel, stripeRun } from '../small-model.js'

test('the loss is (1 − w)·H(label) + w·T²·H(teacher at T, student at T)', async () => {
  const [batchSize, temperature, weight] = [2, 3, 0.7]
  const settings = { batchSize, optimizer: { type: 'sgd' }, distillation: { temperature, weight } } as const
  const graph = trainingGraph(stripeModel.graph, settings)
  const program = await referenceEngine().compile(graph)
  await writeState(program, graph, stripeModel.weights)
  const image = Float32Array.from({ length: batchSize * 8 * 8 * 3 }, (_, i) => Math.sin(i))
  const teacher = Float32Array.of(0.2, 0.3, 0.5, 0.1, 0.8, 0.1)
  const moment = { epoch: 0, step: 0, part: 0, steps: 1, epochs: 1, seed: 0, learningRate: 0 }
  const lossScale = { scale: 1, goodSteps: 0, skippedSteps: 0 }
  const feeds = { image, label: Int32Array.of(2, 1), teacher, ...graph.feeds({ ...moment, lossScale }) }
  const { loss, logits } = await program.run(feeds)
  let expected = 0
  for (const [i, label] of [2, 1].entries()) {
    const row = logits.slice(3 * i, 3 * i + 3)
    const soft = probabilities(Float64Array.from(row, x => x / temperature))
    const hard = -Math.log(probabilities(row)[label])
    const distance = [0, 1, 2].reduce((sum, c) => sum - teacher[3 * i + c] * Math.log(soft[c]), 0)
    expected += ((1 - weight) * hard + weight * temperature ** 2 * distance) / batchSize
  }
  expect(loss[0]).toBeCloseTo(expected, 5)
})

describe('a student', async () => {
  const { model: teacher } = await train(stripeModel, { ...stripeRun, epochs: 4 })
  const student = createModel('resnet8', { input: [8, 8, 3], labels: stripeModel.labels, seed: 5 })
  const options = { ...stripeRun, teacher, distillation: { weight: 1, temperature: 1 } } as const

  test('that sees no labels becomes as good as its teacher', async () => {
    expect((await evaluate(teacher, stripeData.test, { engine: stripeRun.engine })).accuracy).toBeGreaterThan(0.9)
    const { model } = await train(student, { ...options, schedule: { type: 'constant', rate: 0.01 }, epochs: 3 })
    expect((await evaluate(model, stripeData.test, { engine: stripeRun.engine })).accuracy).toBeGreaterThan(0.9)
  })

  test('in parts of a batch, with mixed images, in float16: it goes on with the same bits', async () => {
    const saved: Checkpoint[] = []
    const all = {
      ...options,
      accumulate: 2,
      augment: { mix: { type: 'mixup', alpha: 1 } },
      precision: 'mixed_float16',
    } as const
    const run = await train(small(), { ...all, save: async state => void saved.push(state) })
    const { model, training } = decodeCheckpoint('saved', Buffer.concat(encodeCheckpoint(saved[0])))
    const rest = await train(model, { ...all, resume: training! })
    expect(rest.model.weights).toEqual(run.model.weights)
  })

  test.each([
    ['other classes', { input: [8, 8, 3], labels: ['a', 'b', 'c'] }, 'teacher resnet8 has classes ["a","b","c"]'],
    ['other images', { input: [16, 16, 3], labels: stripeModel.labels }, 'teacher resnet8 has images of the size'],
  ] as const)('does not learn from a teacher of %s', async (_, other, message) => {
    await expect(train(small(), { ...options, teacher: createModel('resnet8', other) })).rejects.toThrow(message)
  })

  test('needs one', async () => {
    const { teacher: _, ...alone } = options
    await expect(train(small(), alone)).rejects.toThrow('teacher: missing')
    const search = { data: stripeData, engine: stripeRun.engine, distillation: {} }
    await expect(findLearningRate(small(), search)).rejects.toThrow('teacher: missing')
  })
})
