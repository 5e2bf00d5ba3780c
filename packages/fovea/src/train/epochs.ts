/** @file The epochs of a run: how many steps each has, and the batches of one, shuffled and augmented for it. */
import { parseBatchOptions } from '../data/batch-options.js'
import { batchCount, batchesOf } from '../data/batches.js'
import type { Batch, BatchOptions, Dataset } from '../data/dataset.js'
import type { Model } from '../models/model.js'
import type { ResolvedSettings } from './settings-table.js'

export class Epochs {
  /** Of each epoch; images that fill no batch are left out, others each time. */
  readonly steps: number
  readonly #optionsOf: (epoch: number) => BatchOptions

  /** @throws InvalidArgumentError if batch size, augmentation or normalization do not fit the images */
  constructor(
    model: Model,
    readonly data: Dataset,
    { batchSize, seed, augmentation }: ResolvedSettings,
  ) {
    this.#optionsOf = epoch => ({
      ...{ batchSize, normalization: model.preprocessing },
      training: { seed, epoch, augmentation },
    })
    parseBatchOptions(data, this.#optionsOf(0))
    this.steps = batchCount(data.length, this.#optionsOf(0))
  }

  /**
   * @param epoch from 0
   * @param firstBatch where to begin. Default 0
   */
  batches(epoch: number, firstBatch = 0): AsyncIterable<Batch> {
    return batchesOf(this.data, { ...this.#optionsOf(epoch), firstBatch })
  }
}
