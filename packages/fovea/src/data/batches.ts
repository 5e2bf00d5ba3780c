/**
 * @file From a data set to the batches of one pass: which images, in which order, cropped, mirrored and normalized how.
 * All of it is a pure function of the options, so a worker, an inline loop and a resumed run prepare the same bits.
 */
import { InvalidArgumentError } from '../errors.js'
import { permutation, randomAt, randomKey, streamOf } from '../random.js'
import type { Augmentation, Batch, BatchOptions, Dataset, Normalization } from './dataset.js'

/** One pass over a data set as a list of batches that can be prepared in any order. */
export interface BatchPlan {
  /** How many batches the pass has, from batch 0 on (whatever `firstBatch` says). */
  readonly length: number
  /**
   * Prepares one batch; allocates nothing.
   * @param images [batchSize, height, width, channels], overwritten
   * @param labels [batchSize], overwritten
   * @returns how many leading images count (see Batch.count)
   */
  prepare(batch: number, images: Float32Array, labels: Int32Array): number
}

/** How many batches a pass over `images` images has: training drops the last partial one. */
export const batchCount = (images: number, { batchSize, training }: BatchOptions): number =>
  training ? Math.floor(images / batchSize) : Math.ceil(images / batchSize)

/**
 * One pass over the data set. Uses the data set's own `batches` (a worker, ahead of the step) where it has one.
 * @throws InvalidArgumentError if the options do not fit the data set
 */
export function batchesOf(dataset: Dataset, options: BatchOptions): AsyncIterable<Batch> {
  return dataset.batches ? dataset.batches(options) : inlineBatches(dataset, options)
}

async function* inlineBatches(dataset: Dataset, options: BatchOptions): AsyncGenerator<Batch> {
  const plan = batchPlan(dataset, options)
  const images = new Float32Array(options.batchSize * imageLength(dataset))
  const labels = new Int32Array(options.batchSize)
  for (let batch = options.firstBatch ?? 0; batch < plan.length; batch++) {
    yield { images, labels, count: plan.prepare(batch, images, labels) }
  }
}

/**
 * Fixes the order of a pass and the tables that its batches need.
 * @throws InvalidArgumentError if the options do not fit the data set
 */
export function batchPlan(dataset: Dataset, options: BatchOptions): BatchPlan {
  checkBatchOptions(dataset, options)
  const { batchSize, indices, training } = options
  const images = indices?.length ?? dataset.length
  const order = training ? permutation(images, epochKey('epoch order', training)) : undefined
  const table = normalizationTable(options.normalization)
  const augment = training && { key: epochKey('augmentation', training), ...training.augmentation }
  const pixels = new Uint8Array(batchSize * imageLength(dataset))
  const chosen = new Uint32Array(batchSize)
  const imageAt = (position: number): number => {
    const place = order ? order[position] : position
    return indices ? indices[place] : place
  }
  return {
    length: batchCount(images, options),
    prepare(batch, target, labels) {
      const start = batch * batchSize
      const count = Math.min(batchSize, images - start)
      for (let i = 0; i < batchSize; i++) {
        chosen[i] = imageAt(i < count ? start + i : start)
        labels[i] = dataset.labels[chosen[i]]
      }
      dataset.read(chosen, pixels)
      prepareBatch(pixels, chosen, dataset.imageShape, table, augment, target)
      return count
    },
  }
}

/** The key of all that is random in one epoch, by purpose. */
const epochKey = (purpose: string, { seed, epoch }: { seed: number; epoch: number }): number =>
  randomKey(randomKey(seed, streamOf(purpose)), epoch)

/** Values of a pixel's 256 levels in each channel, [channels · 256]: (level / 255 − mean) / deviation. */
export function normalizationTable({ mean, deviation }: Normalization): Float32Array {
  return Float32Array.from({ length: mean.length * 256 }, (_, i) => {
    const channel = i >> 8
    return ((i & 255) / 255 - mean[channel]) / deviation[channel]
  })
}

/**
 * Crops, mirrors and normalizes images. The padding of a crop is 0 after normalization, that is, the mean colour.
 * @param pixels [n, height, width, channels], 8 bits a channel
 * @param indices [n] each image's index in its data set: with the key, all that its changes depend on
 * @param table see normalizationTable
 * @param augment none for evaluation; `key` is that of the epoch
 * @param target [n, height, width, channels], overwritten
 */
export function prepareBatch(
  pixels: Uint8Array,
  indices: Uint32Array,
  [height, width, channels]: readonly [number, number, number],
  table: Float32Array,
  augment: (Augmentation & { readonly key: number }) | undefined,
  target: Float32Array,
): void {
  const padding = augment?.cropPadding ?? 0
  const row = width * channels
  for (let n = 0; n < indices.length; n++) {
    // Where the crop begins in the image, from −padding to +padding.
    let top = 0
    let left = 0
    let flip = false
    if (augment) {
      const random = 3 * indices[n]
      top = Math.floor(randomAt(augment.key, random) * (2 * padding + 1)) - padding
      left = Math.floor(randomAt(augment.key, random + 1) * (2 * padding + 1)) - padding
      flip = augment.flip === true && randomAt(augment.key, random + 2) < 0.5
    }
    // Columns of the crop that lie inside the image, before mirroring.
    const first = Math.min(width, Math.max(0, -left))
    const last = Math.max(first, Math.min(width, width - left))
    const step = flip ? -channels : channels
    for (let y = 0; y < height; y++) {
      const out = (n * height + y) * row
      const sourceY = y + top
      if (sourceY < 0 || sourceY >= height || last === first) {
        target.fill(0, out, out + row)
        continue
      }
      const before = (flip ? width - last : first) * channels
      const after = (flip ? width - first : last) * channels
      if (before > 0) target.fill(0, out, out + before)
      if (after < row) target.fill(0, out + after, out + row)
      let source = (n * height + sourceY) * row + (flip ? last - 1 + left : first + left) * channels
      if (channels === 3) {
        for (let o = out + before; o < out + after; o += 3, source += step) {
          target[o] = table[pixels[source]]
          target[o + 1] = table[256 + pixels[source + 1]]
          target[o + 2] = table[512 + pixels[source + 2]]
        }
      } else {
        for (let o = out + before; o < out + after; o += channels, source += step) {
          for (let c = 0; c < channels; c++) target[o + c] = table[256 * c + pixels[source + c]]
        }
      }
    }
  }
}

const imageLength = ({ imageShape: [height, width, channels] }: Dataset): number => height * width * channels

/** @throws InvalidArgumentError if the options do not fit the data set */
export function checkBatchOptions(dataset: Dataset, options: BatchOptions): void {
  const { batchSize, normalization, training, indices, firstBatch } = options
  const fail = (message: string): never => {
    throw new InvalidArgumentError(`data set '${dataset.name}': ${message}`)
  }
  const whole = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least
  if (!whole(batchSize, 1)) fail(`the batch size must be a whole number from 1 on, not ${batchSize}`)
  if (!whole(firstBatch ?? 0, 0)) fail(`firstBatch must be a whole number from 0 on, not ${firstBatch}`)
  const images = indices?.length ?? dataset.length
  if (training && batchSize > images) {
    fail(`a batch of ${batchSize} is larger than its ${images} training images; use a batch size of at most ${images}`)
  }
  const padding = training?.augmentation.cropPadding ?? 0
  if (!whole(padding, 0)) fail(`cropPadding must be a whole number of pixels from 0 on, not ${padding}`)
  const channels = dataset.imageShape[2]
  const { mean, deviation } = normalization
  if (mean.length !== channels || deviation.length !== channels) {
    fail(
      `its images have ${channels} channel${channels === 1 ? '' : 's'}, the normalization has ` +
        `${mean.length} means and ${deviation.length} deviations`,
    )
  }
  if (!mean.every(Number.isFinite) || !deviation.every(d => Number.isFinite(d) && d > 0)) {
    fail(`the normalization needs finite means and positive deviations, got [${mean}] and [${deviation}]`)
  }
}
