/** @file What a data set is to training: labelled 8-bit images of one size, read by index. Knows no files. */
import type { Augmentation } from './augment/augmentation.js'
import type { View } from './augment/crop-and-flip.js'
import type { Mix } from './augment/mix.js'

export type { Augmentation, Mix, View }

/** Images are RGB or grey, 8 bits a channel, NHWC; labels are class indices. */
export interface Dataset {
  /** Where it comes from, for messages and run files. */
  readonly name: string
  readonly length: number
  /** [height, width, channels] of every image. */
  readonly imageShape: readonly [number, number, number]
  /** Class names, in the order of the label indices. */
  readonly classes: readonly string[]
  /** A hash of the content: a resumed run checks that it trains on the same data. */
  readonly fingerprint: string
  /** The label of every image. */
  readonly labels: Int32Array
  /** A hash of each image's pixels, where they are known without reading all images: tells which were seen elsewhere. */
  readonly hashes?: readonly string[]
  /** Copies the images of these indices, one after another, into `target`. */
  read(indices: ArrayLike<number>, target: Uint8Array): void
  /** Prepares batches ahead of the step, on a worker. Of data sets without it, `data/batches.ts` prepares them, one ahead, where they are asked for. */
  batches?(options: BatchOptions): AsyncIterable<Batch>
}

/** The images of one task: those to train on, and those held out. */
export interface DataSplits {
  readonly train: Dataset
  /** Measured after each epoch, so what chooses the best one. Default: `test`, where no others are kept apart for it. */
  readonly validation?: Dataset
  /** Measured at the end. */
  readonly test: Dataset
}

/** One step's input. Its arrays are used again by later batches: take what you keep before asking for the next. */
export interface Batch {
  /** NHWC, normalized. */
  readonly images: Float32Array
  /** [batch] class indices. */
  readonly labels: Int32Array
  /** How many leading images count; the rest repeat the first to fill a fixed batch size (evaluation's last batch). */
  readonly count: number
  /** If each image was mixed with another: with which label, and by how much. `labels` are the images' own. */
  readonly mix?: Mix
}

/** Channel means and deviations of images scaled to [0, 1]. */
export interface Normalization {
  readonly mean: readonly number[]
  readonly deviation: readonly number[]
}

/**
 * One pass over a data set. `training` shuffles by (seed, epoch), augments, and drops the last partial batch;
 * otherwise images come in order, and the last batch is filled up (see Batch.count).
 */
export interface BatchOptions {
  readonly batchSize: number
  /** Only these images, in this order (a subset). Default: all. */
  readonly indices?: Uint32Array
  readonly normalization: Normalization
  readonly training?: { readonly seed: number; readonly epoch: number; readonly augmentation: Augmentation }
  /** Moves and mirrors every image alike. For evaluation only. Default: images as they are. */
  readonly view?: View
  /** Begin at this batch (a resumed epoch). Default 0. */
  readonly firstBatch?: number
}
