/** @file Channel means and deviations: the published ones, and those of any data set, measured. */
import { checkArguments } from '../settings/group.js'
import { whole } from '../settings/kinds.js'
import type { Dataset, Normalization } from './dataset.js'
import { checkNotEmpty, dataset as datasetSetting } from './dataset-setting.js'

/** Normalizations with a name, for RGB images. */
export const normalizations = {
  /** Of ImageNet's training images: what torchvision's weights expect. */
  imagenet: { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
  /** Of CIFAR-10's training images. */
  cifar10: { mean: [0.4914, 0.4822, 0.4465], deviation: [0.247, 0.2435, 0.2616] },
  /** Values from 0 to 1, as they are. */
  none: { mean: [0, 0, 0], deviation: [1, 1, 1] },
} as const satisfies Readonly<Record<string, Normalization>>

/** Values of a pixel's 256 levels in each channel, [channels · 256]: (level / 255 − mean) / deviation. */
export function normalizationTable({ mean, deviation }: Normalization): Float32Array {
  return Float32Array.from({ length: mean.length * 256 }, (_, i) => {
    const channel = i >> 8
    return ((i & 255) / 255 - mean[channel]) / deviation[channel]
  })
}

const CHUNK = 64

const measureArguments = {
  dataset: datasetSetting('labelled images'),
  sample: whole('how many images to look at', { from: 1 }),
}

/**
 * The mean and deviation of each channel over a data set, scaled to [0, 1]. Deterministic.
 * @param sample how many images to look at, evenly spaced; 10,000 of CIFAR-10 give it to three digits
 * @throws SettingError for what is no data set, or has no images
 */
export function measureNormalization(dataset: Dataset, sample = 10_000): Normalization {
  checkArguments(measureArguments, { dataset, sample })
  checkNotEmpty(dataset, 'dataset')
  const channels = dataset.imageShape[2]
  const size = dataset.imageShape[0] * dataset.imageShape[1] * channels
  const count = Math.min(sample, dataset.length)
  const sums = new Float64Array(channels)
  const squares = new Float64Array(channels)
  const pixels = new Uint8Array(CHUNK * size)
  for (let start = 0; start < count; start += CHUNK) {
    const length = Math.min(CHUNK, count - start)
    const indices = Array.from({ length }, (_, i) => Math.floor(((start + i) * dataset.length) / count))
    dataset.read(indices, pixels)
    for (let i = 0; i < length * size; i++) {
      sums[i % channels] += pixels[i]
      squares[i % channels] += pixels[i] * pixels[i]
    }
  }
  const perChannel = (count * size) / channels
  const mean = Array.from(sums, sum => sum / perChannel / 255)
  // At least one level: a channel that never changes must not be divided by 0.
  const deviation = Array.from(squares, (square, c) => {
    const level = sums[c] / perChannel
    return Math.max(1, Math.sqrt(Math.max(0, square / perChannel - level * level))) / 255
  })
  return { mean, deviation }
}
