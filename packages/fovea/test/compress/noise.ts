/** @file Images for tests of pruning. */
import { arrayDataset } from '../../src/data/array-dataset.js'
import { elements } from '../../src/graph/types.js'
import type { Model } from '../../src/models/model.js'
import { randomAt, randomKey } from '../../src/random.js'

/** Noise: enough for shapes and sums. */
export function noise({ preprocessing: { size }, labels }: Model, count: number) {
  const images = Uint8Array.from({ length: count * elements(size) }, (_, i) => 256 * randomAt(randomKey(5, 0), i))
  return arrayDataset({
    name: 'noise',
    images,
    labels: Int32Array.from({ length: count }, (_, i) => i % labels.length),
    imageShape: size,
    classes: labels,
  })
}
