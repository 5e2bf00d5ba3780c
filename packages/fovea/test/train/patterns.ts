/** @file Small data sets that can be learned in seconds: classes are the directions of stripes, with noise. */
import { arrayDataset } from '../../src/data/array-dataset.js'
import type { DataSplits, Dataset } from '../../src/data/dataset.js'
import { randomAt } from '../../src/random.js'

export const stripeClasses = ['across', 'down', 'flat'] as const

/** Images of 8×8×3: horizontal stripes, vertical stripes, none. */
export function stripes(length: number, key = 1): Dataset {
  const size = 8 * 8 * 3
  const labels = Array.from({ length }, (_, i) => i % 3)
  const images = Uint8Array.from({ length: length * size }, (_, i) => {
    const [image, y, x] = [Math.floor(i / size), Math.floor(i / 24) % 8, Math.floor(i / 3) % 8]
    const phase = Math.floor(4 * randomAt(key + 1, image))
    const along = [y, x, 0][labels[image]]
    return 60 + (((along + phase) & 2) > 0 ? 90 : 0) + 80 * randomAt(key, i)
  })
  return arrayDataset({ name: 'stripes', images, labels, imageShape: [8, 8, 3], classes: stripeClasses })
}

export const stripeData: DataSplits = { train: stripes(96), test: stripes(30, 77) }
