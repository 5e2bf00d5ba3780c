/**
 * @file From the 8-bit images of a batch to the normalized images that a step is fed with: the order of augmentations,
 * written once. Each is skipped where it was not asked for; without a policy and colour jitter, crop, flip and
 * normalization are a single walk over the pixels.
 */
import type { SettledBatchOptions } from '../batch-options.js'
import { normalizationTable } from '../normalization.js'
import { randomColorJitter } from './color-jitter.js'
import { CropAndFlip, randomPlacement } from './crop-and-flip.js'
import { randomErase } from './erase.js'
import { ImageBuffer } from './image-buffer.js'
import { type Mix, randomMix } from './mix.js'
import { randomPolicy } from './policy.js'
import { randomResizedCrop } from './resized-crop.js'

/**
 * Prepares a batch; allocates nothing for an image.
 * @param batch its number in the pass
 * @param pixels [n, height, width, channels], 8 bits a channel
 * @param indices [n] each image's index in its data set
 * @param images [n, height, width, channels], overwritten
 * @param labels [n] class indices
 */
export type PrepareImages = (
  batch: number,
  pixels: Uint8Array,
  indices: Uint32Array,
  images: Float32Array,
  labels: Int32Array,
) => Mix | undefined

export function imagePreparation(
  shape: readonly [number, number, number],
  { normalization, training, view }: Pick<SettledBatchOptions, 'normalization' | 'training' | 'view'>,
): PrepareImages {
  const length = shape[0] * shape[1] * shape[2]
  const table = normalizationTable(normalization)
  const placed = new CropAndFlip(shape)
  if (view) placed.place(-view.shift[0], -view.shift[1], view.flip, 'reflect')
  if (!training) {
    return (_, pixels, indices, images) => {
      for (let n = 0; n < indices.length; n++) placed.normalize(pixels, n * length, table, images, n * length)
      return undefined
    }
  }
  const { resizedCrop, policy, colorJitter, erase, mix } = training.augmentation
  const place = randomPlacement(training.augmentation, training, placed)
  const meanColor = Uint8Array.from(normalization.mean, mean => Math.max(0, Math.min(255, Math.round(255 * mean))))
  const buffer = new ImageBuffer(shape, meanColor)
  const cropResized = resizedCrop && randomResizedCrop(resizedCrop, training, shape)
  const applyPolicy = policy && randomPolicy(policy, training)
  const jitter = colorJitter && randomColorJitter(colorJitter, training)
  const eraseFrom = erase && randomErase(erase, training, shape)
  const mixBatch = mix && randomMix(mix, training, shape)
  const onLevels = applyPolicy !== undefined || jitter !== undefined

  return (batch, pixels, indices, images, labels) => {
    for (let n = 0; n < indices.length; n++) {
      const index = indices[n]
      const begin = n * length
      place(index)
      cropResized?.(index, pixels, begin, buffer)
      const source = cropResized ? buffer.pixels : pixels
      const from = cropResized ? 0 : begin
      if (onLevels) {
        placed.copy(source, from, buffer)
        applyPolicy?.(index, buffer)
        jitter?.(index, buffer)
        buffer.normalize(table, images, begin)
      } else {
        placed.normalize(source, from, table, images, begin)
      }
      eraseFrom?.(index, images, begin)
    }
    return mixBatch?.(batch, images, labels)
  }
}
