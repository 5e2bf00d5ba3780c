/** @file A model that is served: compiled for batches of several sizes, one of which runs at a time. */
import { type Engine, type Model, openPredictor, type PrecisionOptions } from 'fovea'
import type { Budget } from '../data/budget.js'
import type { DecodedSize } from '../data/decode-image.js'
import { Batcher, type BatcherOptions, type BatchModel } from './batcher.js'

/** What of a model the server shows. */
export interface ServedModel {
  /** In addresses. */
  readonly name: string
  /** What a picture is decoded to. */
  readonly preprocessing: DecodedSize
  /** In the order of its probabilities. */
  readonly labels: readonly string[]
  readonly batcher: Batcher
  /** Frees its memory. */
  dispose(): void
}

export interface ServeModelOptions extends BatcherOptions, PrecisionOptions {
  readonly engine: Engine
  /** The most images at once. */
  readonly maxBatch: number
  /** Held while a model runs: several models would only slow each other down. */
  readonly turns: Budget
}

/** Compiled for 1, 4, 16 … images: what lies between takes several runs, and each more size would hold the weights again. */
const STEP = 4

export async function serveModel(name: string, model: Model, options: ServeModelOptions): Promise<ServedModel> {
  const { engine, maxBatch, turns, maxDelayMs, maxQueue, onBatch, ...precision } = options
  const batchSizes: number[] = []
  for (let size = 1; size < maxBatch; size *= STEP) batchSizes.push(size)
  batchSizes.push(maxBatch)
  const predictors = await Promise.all(
    batchSizes.map(batchSize => openPredictor(model, { engine, batchSize, ...precision })),
  )
  const compiled: BatchModel = {
    batchSizes,
    run: (images, count) => turns.hold(1, () => predictors[batchSizes.indexOf(count)].probabilities(images)),
  }
  const { preprocessing, labels } = model
  return {
    ...{ name, labels, preprocessing },
    batcher: new Batcher(compiled, { maxDelayMs, maxQueue, ...(onBatch && { onBatch }) }),
    dispose: () => {
      for (const predictor of predictors) predictor.dispose()
    },
  }
}
