import { expect, it } from 'vitest'
import { arrayDataset } from '../../src/data/array-dataset.js'
import { batchPlan } from '../../src/data/batches.js'
import { measureNormalization } from '../../src/data/normalization.js'
import { randomAt } from '../../src/random.js'

it('makes the images of a data set zero in mean and one in deviation, channel by channel', () => {
  const images = Uint8Array.from(
    { length: 150 * 32 },
    (_, i) => randomAt(1, i) * (i % 2 === 0 ? 255 : 80) + (i % 2) * 50,
  )
  const data = arrayDataset({ images, labels: new Int32Array(150), imageShape: [4, 4, 2], classes: ['a'] })
  const target = new Float32Array(images.length)
  batchPlan(data, { batchSize: 150, normalization: measureNormalization(data) }).prepare(0, target, new Int32Array(150))
  for (const channel of [0, 1]) {
    const values = target.filter((_, i) => i % 2 === channel)
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length
    expect(mean).toBeCloseTo(0, 4)
    expect(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length).toBeCloseTo(1, 4)
  }
})

it('samples evenly, and stays finite where a channel never changes', () => {
  const images = Uint8Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 10 : 20))
  const data = arrayDataset({ images, labels: new Int32Array(100), imageShape: [1, 1, 1], classes: ['a'] })
  expect(measureNormalization(data, 50)).toEqual({ mean: [10 / 255], deviation: [1 / 255] })
})
