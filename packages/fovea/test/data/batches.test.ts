import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arrayDataset } from '../../src/data/array-dataset.js'
import { batchesOf, batchPlan, normalizationTable, prepareBatch } from '../../src/data/batches.js'
import type { Augmentation, BatchOptions, Dataset } from '../../src/data/dataset.js'
import { subset } from '../../src/data/subset.js'
import { randomAt } from '../../src/random.js'

const noise = (length: number, key = 1): Uint8Array => Uint8Array.from({ length }, (_, i) => randomAt(key, i) * 256)

const dataset = (length: number, shape: readonly [number, number, number] = [5, 4, 3]): Dataset =>
  arrayDataset({
    images: noise(length * shape[0] * shape[1] * shape[2]),
    labels: Array.from({ length }, (_, i) => i % 3),
    imageShape: shape,
    classes: ['a', 'b', 'c'],
  })

const normalization = { mean: [0.5, 0.4, 0.3], deviation: [0.2, 0.25, 0.3] }
const training = (epoch = 0, seed = 7, augmentation: Augmentation = { cropPadding: 2, flip: true }) => ({
  seed,
  epoch,
  augmentation,
})

async function collect(data: Dataset, options: BatchOptions) {
  const batches = []
  for await (const { images, labels, count } of batchesOf(data, options)) {
    batches.push({ images: images.slice(), labels: labels.slice(), count })
  }
  return batches
}

/** One pixel as the definition says: pad the normalized image with zeros, crop at (top, left), mirror. */
function naive(
  pixels: Uint8Array,
  [height, width, channels]: readonly [number, number, number],
  { mean, deviation }: BatchOptions['normalization'],
  padding: number,
  [cropY, cropX, flip]: readonly [number, number, boolean],
): Float32Array {
  const [paddedHeight, paddedWidth] = [height + 2 * padding, width + 2 * padding]
  const padded = new Float32Array(paddedHeight * paddedWidth * channels)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++)
        padded[((y + padding) * paddedWidth + x + padding) * channels + c] =
          (pixels[(y * width + x) * channels + c] / 255 - mean[c]) / deviation[c]
  const out = new Float32Array(height * width * channels)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++) {
        const sourceX = flip ? width - 1 - x : x
        out[(y * width + x) * channels + c] = padded[((y + cropY) * paddedWidth + sourceX + cropX) * channels + c]
      }
  return out
}

describe('prepareBatch', () => {
  it('equals padding, cropping and mirroring the normalized image, pixel by pixel', () => {
    const size = fc.integer({ min: 1, max: 9 })
    fc.assert(
      fc.property(
        size,
        size,
        fc.constantFrom(1, 2, 3),
        fc.integer({ min: 0, max: 12 }),
        fc.boolean(),
        fc.nat(),
        fc.array(fc.nat({ max: 1e6 }), { minLength: 1, maxLength: 4 }),
        (height, width, channels, cropPadding, flip, key, indices) => {
          const shape = [height, width, channels] as const
          const length = height * width * channels
          const pixels = noise(indices.length * length, key)
          const chosen = { mean: [0.5, 0.4, 0.3].slice(0, channels), deviation: [0.2, 0.25, 0.3].slice(0, channels) }
          const target = new Float32Array(indices.length * length).fill(Number.NaN)
          const augment = { key, cropPadding, flip }
          prepareBatch(pixels, Uint32Array.from(indices), shape, normalizationTable(chosen), augment, target)
          indices.forEach((index, n) => {
            const draw = (i: number): number => Math.floor(randomAt(key, 3 * index + i) * (2 * cropPadding + 1))
            const change = [draw(0), draw(1), flip && randomAt(key, 3 * index + 2) < 0.5] as const
            const image = pixels.subarray(n * length, (n + 1) * length)
            expect(target.subarray(n * length, (n + 1) * length)).toEqual(
              naive(image, shape, chosen, cropPadding, change),
            )
          })
        },
      ),
    )
  })

  it('draws every crop and both directions about equally often', () => {
    const shape = [1, 3, 1] as const
    const seen = new Map<string, number>()
    const target = new Float32Array(3)
    const table = normalizationTable({ mean: [0], deviation: [1] })
    for (let index = 0; index < 6000; index++) {
      prepareBatch(
        Uint8Array.of(51, 102, 153),
        Uint32Array.of(index),
        shape,
        table,
        { key: 5, cropPadding: 1, flip: true },
        target,
      )
      const key = Array.from(target, v => Math.round(v * 5)).join('')
      seen.set(key, (seen.get(key) ?? 0) + 1)
    }
    // A third of the rows is inside the image; there are three columns and two directions: 1/18 each.
    expect([...seen.keys()].sort()).toEqual(['000', '012', '032', '123', '210', '230', '321'].sort())
    for (const [key, count] of seen) expect(count / 6000).toBeCloseTo(key === '000' ? 2 / 3 : 1 / 18, 1.5)
  })
})

describe('batchesOf', () => {
  it('visits every image once in an epoch, in an order of its own', async () => {
    const data = dataset(60, [1, 1, 1])
    const seen = async (epoch: number, seed = 7) => {
      const order: number[] = []
      const pass = { ...data, read: (indices: ArrayLike<number>) => void order.push(...Array.from(indices)) }
      const one = { mean: [0], deviation: [1] }
      await collect(pass, { batchSize: 6, normalization: one, training: training(epoch, seed) })
      return order
    }
    const first = await seen(0)
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i))
    expect(await seen(0)).toEqual(first)
    expect(await seen(1)).not.toEqual(first)
    expect(await seen(0, 8)).not.toEqual(first)
  })

  it('gives the same bits for the same seed and epoch, whatever the batch size', async () => {
    const data = dataset(24)
    const all = async (batchSize: number) =>
      (await collect(data, { batchSize, normalization, training: training() })).flatMap(b => Array.from(b.images))
    expect(await all(4)).toEqual(await all(8))
  })

  it('resumes an epoch at any batch with the bits of the whole pass', async () => {
    const options = { batchSize: 4, normalization, training: training(3) }
    const whole = await collect(dataset(25), options)
    expect(whole).toHaveLength(6)
    expect(await collect(dataset(25), { ...options, firstBatch: 4 })).toEqual(whole.slice(4))
    expect(await collect(dataset(25), { ...options, firstBatch: 6 })).toEqual([])
  })

  it('evaluates in order, unchanged, and fills the last batch with its first image', async () => {
    const data = dataset(7)
    const batches = await collect(data, { batchSize: 3, normalization })
    expect(batches.map(b => b.count)).toEqual([3, 3, 1])
    expect(batches.flatMap(b => Array.from(b.labels))).toEqual([0, 1, 2, 0, 1, 2, 0, 0, 0])
    const pixels = new Uint8Array(60)
    data.read([6], pixels)
    const last = naive(pixels, [5, 4, 3], normalization, 0, [0, 0, false])
    expect(batches[2].images).toEqual(Float32Array.from([...last, ...last, ...last]))
  })

  it('augments an image of a subset as it would in the whole', async () => {
    const data = dataset(9)
    const part = subset(subset(data, [8, 2, 5, 7]), [1, 2, 0])
    expect(Array.from(part.labels)).toEqual([2, 2, 2])
    const options = { batchSize: 3, normalization, training: training() }
    expect(await collect(part, options)).toEqual(await collect(data, { ...options, indices: Uint32Array.of(2, 5, 8) }))
  })

  it.each([
    [{ batchSize: 0 }, /batch size must be a whole number from 1 on, not 0/],
    [{ batchSize: 11 }, /a batch of 11 is larger than its 10 training images; use a batch size of at most 10/],
    [{ normalization: { mean: [0], deviation: [1] } }, /3 channels, the normalization has 1 means and 1 deviations/],
    [{ normalization: { mean: [0, 0, 0], deviation: [1, 0, 1] } }, /positive deviations/],
    [{ training: training(0, 0, { cropPadding: -1 }) }, /cropPadding must be a whole number/],
    [{ firstBatch: 0.5 }, /firstBatch must be a whole number/],
  ])('refuses options that do not fit: %j', (options, message) => {
    const complete = { batchSize: 2, normalization, training: training(), ...options }
    expect(() => batchPlan(dataset(10), complete)).toThrow(message)
  })
})
