/** @file Claims about training on the native engine: it learns in every precision, and a run that goes on ends alike. */
import { describe, expect, test } from 'vitest'
import { decodeCheckpoint, encodeCheckpoint } from '../../fovea/src/formats/checkpoint.js'
import { precisions } from '../../fovea/src/passes/mixed-precision.js'
import { train } from '../../fovea/src/train/train.js'
import type { TrainOptions } from '../../fovea/src/train/train-options.js'
import type { Checkpoint } from '../../fovea/src/train/training-state.js'
import { stripeData } from '../../fovea/test/train/patterns.js'
import { stripeModel } from '../../fovea/test/train/small-model.js'
import { onednnEngine, onednnStatus } from '../src/index.js'

const { available, detail } = onednnStatus()
if (!available) console.warn(`skipped: ${detail}`)

describe.skipIf(!available).each(precisions)('%s', precision => {
  const options: Omit<TrainOptions, 'engine'> = {
    data: stripeData,
    epochs: 6,
    batchSize: 16,
    optimizer: { type: 'sgd', momentum: 0.9 },
    schedule: { type: 'one-cycle', peak: 0.05 },
    average: { type: 'moving', decay: 0.9 },
    clipNorm: 5,
    accumulate: 2,
    precision,
  }

  test('a run learns, and ends with the same bits when it goes on from the middle', async () => {
    const engine = onednnEngine({ threads: 2 })
    const saved: Checkpoint[] = []
    const run = await train(stripeModel, { ...options, engine, save: async state => void saved.push(state) })
    expect((await run.evaluate()).accuracy).toBeGreaterThan(0.9)
    const file = Buffer.concat(encodeCheckpoint(saved[2]))
    const { model: middle, training } = decodeCheckpoint('saved', file)
    if (precision === 'mixed_float16') expect(training!.lossScale!.scale).toBeGreaterThanOrEqual(1024)
    const rest = await train(middle, { ...options, engine, resume: training! })
    expect(rest.model.weights).toEqual(run.model.weights)
  })
})

test.skipIf(!available)('two runs on one engine at the same time end as each does alone', async () => {
  const engine = onednnEngine({ threads: 2 })
  const options = { data: stripeData, epochs: 1, batchSize: 16, engine } as const
  const alone = await train(stripeModel, options)
  const runs = await Promise.all([train(stripeModel, options), train(stripeModel, options)])
  for (const run of runs) {
    expect(run.model.weights).toEqual(alone.model.weights)
    expect(run.history).toEqual(alone.history)
  }
  const [one, other] = await Promise.all(runs.map(run => run.evaluate()))
  expect({ ...one, seconds: 0 }).toEqual({ ...other, seconds: 0 })
})
