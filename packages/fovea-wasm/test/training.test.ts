/** @file Claims about training in WebAssembly: it learns, and a run that goes on ends with the bits of one that never stopped. */
import { describe, expect, test } from 'vitest'
import { decodeCheckpoint, encodeCheckpoint } from '../../fovea/src/formats/checkpoint.js'
import { train } from '../../fovea/src/train/train.js'
import type { TrainOptions } from '../../fovea/src/train/train-options.js'
import type { Checkpoint } from '../../fovea/src/train/training-state.js'
import { stripeData } from '../../fovea/test/train/patterns.js'
import { stripeModel } from '../../fovea/test/train/small-model.js'
import { wasmEngine } from '../src/index.js'

describe.each(['float32', 'mixed_float16'] as const)('%s', precision => {
  const options: Omit<TrainOptions, 'engine'> = {
    data: stripeData,
    epochs: 6,
    batchSize: 16,
    optimizer: { type: 'sgd', momentum: 0.9 },
    schedule: { type: 'one-cycle', peak: 0.05 },
    average: { type: 'moving', decay: 0.9 },
    clipNorm: 5,
    precision,
  }

  test('a run learns, ends with the same bits when it is repeated, and when it goes on from the middle', async () => {
    const engine = wasmEngine({ threads: 2, simd: 'plain' })
    const saved: Checkpoint[] = []
    const run = await train(stripeModel, { ...options, engine, save: async state => void saved.push(state) })
    expect((await run.evaluate()).accuracy).toBeGreaterThan(0.9)
    expect((await train(stripeModel, { ...options, engine })).model.weights).toEqual(run.model.weights)
    const { model: middle, training } = decodeCheckpoint('saved', Buffer.concat(encodeCheckpoint(saved[2])))
    const rest = await train(middle, { ...options, engine, resume: training! })
    expect(rest.model.weights).toEqual(run.model.weights)
  })
})
