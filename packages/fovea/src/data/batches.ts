/**
 * @file From a data set to the batches of one pass: which images, in which order, augmented and normalized how.
 * All of it is a pure function of the options, so a worker, an inline loop and a resumed run prepare the same bits.
 */
import { permutation } from '../random.js'
import { passKey } from './augment/keys.js'
import { imagePreparation } from './augment/prepare-images.js'
import { parseBatchOptions } from './batch-options.js'
import type { Batch, BatchOptions, Dataset } from './dataset.js'
import { type Idle, whenIdle } from './when-idle.js'

/** One pass over a data set as a list of batches that can be prepared in any order. */
export interface BatchPlan {
  /** How many batches the pass has, from batch 0 on (whatever `firstBatch` says). */
  readonly length: number
  /**
   * Prepares one batch.
   * @param images [batchSize, height, width, channels], overwritten
   * @param labels [batchSize], overwritten
   * @returns the rest of the batch
   */
  prepare(batch: number, images: Float32Array, labels: Int32Array): Pick<Batch, 'count' | 'mix'>
}

/** Which images the batches of a pass are made of. */
export interface BatchOrder {
  /** How many batches the pass has. */
  readonly length: number
  /** The images of a batch by their index, as many as `count`; the rest of the batch repeats the first. */
  imagesOf(batch: number): { readonly indices: Uint32Array; readonly count: number }
}

/** How many batches a pass over `images` images has: training drops the last partial one. */
export const batchCount = (images: number, { batchSize, training }: BatchOptions): number =>
  training ? Math.floor(images / batchSize) : Math.ceil(images / batchSize)

/**
 * One pass over the data set. Uses the data set's own `batches` (a worker, ahead of the step) where it has one.
 * @throws SettingError if the options do not fit the data set
 */
export function batchesOf(dataset: Dataset, options: BatchOptions): AsyncIterable<Batch> {
  parseBatchOptions(dataset, options)
  return dataset.batches ? dataset.batches(options) : inlineBatches(dataset, options)
}

/**
 * While a step works on a batch, on threads of its own, the next one is prepared. Where steps leave this thread no time, it is prepared
 * when it is asked for: the bits are the same.
 */
async function* inlineBatches(dataset: Dataset, options: BatchOptions): AsyncGenerator<Batch> {
  const plan = batchPlan(dataset, options)
  const inTurns = [0, 1].map(() => ({
    images: new Float32Array(options.batchSize * imageLength(dataset)),
    labels: new Int32Array(options.batchSize),
  }))
  const prepare = (batch: number): Batch => {
    const { images, labels } = inTurns[batch % 2]
    return { images, labels, ...plan.prepare(batch, images, labels) }
  }
  let ahead: Idle<Batch> | undefined
  try {
    for (let batch = options.firstBatch ?? 0; batch < plan.length; batch++) {
      const ready = ahead ? ahead.result() : prepare(batch)
      ahead = batch + 1 < plan.length ? whenIdle(() => prepare(batch + 1)) : undefined
      yield ready
    }
  } finally {
    ahead?.cancel()
  }
}

/** Fixes the order of a pass. */
export function batchOrder({ length }: Dataset, options: BatchOptions): BatchOrder {
  const { batchSize, indices, training } = options
  const images = indices?.length ?? length
  const order = training ? permutation(images, passKey('epoch order', training)) : undefined
  const imageAt = (position: number): number => {
    const place = order ? order[position] : position
    return indices ? indices[place] : place
  }
  return {
    length: batchCount(images, options),
    imagesOf(batch) {
      const start = batch * batchSize
      const count = Math.min(batchSize, images - start)
      return {
        indices: Uint32Array.from({ length: batchSize }, (_, i) => imageAt(i < count ? start + i : start)),
        count,
      }
    },
  }
}

/**
 * Fixes the order of a pass and the tables that its batches need.
 * @throws SettingError if the options do not fit the data set
 */
export function batchPlan(dataset: Dataset, options: BatchOptions): BatchPlan {
  const settled = parseBatchOptions(dataset, options)
  const { length, imagesOf } = batchOrder(dataset, settled)
  const prepareImages = imagePreparation(dataset.imageShape, settled)
  const pixels = new Uint8Array(settled.batchSize * imageLength(dataset))
  return {
    length,
    prepare(batch, target, labels) {
      const { indices, count } = imagesOf(batch)
      for (const [i, index] of indices.entries()) labels[i] = dataset.labels[index]
      dataset.read(indices, pixels)
      const mix = prepareImages(batch, pixels, indices, target, labels)
      return { count, ...(mix && { mix }) }
    },
  }
}

const imageLength = ({ imageShape: [height, width, channels] }: Dataset): number => height * width * channels
