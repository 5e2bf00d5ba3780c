import { describe, expect, it } from 'vitest'
import { arrayDataset } from '../../src/data/array-dataset.js'
import { batchesOf, batchPlan } from '../../src/data/batches.js'
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
const training = (epoch = 0, seed = 7, augmentation: Augmentation = { crop: { padding: 2 }, flip: 'random' }) => ({
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
    const { mean, deviation } = normalization
    const last = Array.from(pixels, (level, i) => (level / 255 - mean[i % 3]) / deviation[i % 3])
    expect(batches[2].images).toEqual(Float32Array.from([...last, ...last, ...last]))
  })

  it('shows every image of an evaluation in the same view: moved down and right, reflected, then mirrored', async () => {
    const data = arrayDataset({
      images: Uint8Array.of(1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16),
      labels: [0, 0],
      imageShape: [2, 3, 1],
      classes: ['a'],
    })
    const view = async (shift: readonly [number, number], flip: boolean) => {
      const levels = { mean: [0], deviation: [1 / 255] }
      const [{ images }] = await collect(data, { batchSize: 2, normalization: levels, view: { shift, flip } })
      return Array.from(images, Math.round)
    }
    expect(await view([0, 0], false)).toEqual([1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16])
    expect(await view([0, 1], false)).toEqual([2, 1, 2, 5, 4, 5, 12, 11, 12, 15, 14, 15])
    expect(await view([-1, 1], false)).toEqual([5, 4, 5, 2, 1, 2, 15, 14, 15, 12, 11, 12])
    expect(await view([0, 1], true)).toEqual([2, 1, 2, 5, 4, 5, 12, 11, 12, 15, 14, 15])
    expect(await view([0, -1], true)).toEqual([2, 3, 2, 5, 6, 5, 12, 13, 12, 15, 16, 15])
    expect(await view([0, 0], true)).toEqual([3, 2, 1, 6, 5, 4, 13, 12, 11, 16, 15, 14])
    await expect(view([2, 0], true)).rejects.toThrow("view.shift.0: expected fewer pixels than the images' 2×3, got 2")
  })

  it('augments an image of a subset as it would in the whole', async () => {
    const data = dataset(9)
    const part = subset(subset(data, [8, 2, 5, 7]), [1, 2, 0])
    expect(Array.from(part.labels)).toEqual([2, 2, 2])
    const options = { batchSize: 3, normalization, training: training() }
    expect(await collect(part, options)).toEqual(await collect(data, { ...options, indices: Uint32Array.of(2, 5, 8) }))
  })

  /** A pass whose reads are counted. */
  function counted(data: Dataset, read = data.read) {
    const reads: number[][] = []
    const pass: Dataset = {
      ...data,
      read(indices, target) {
        reads.push(Array.from(indices))
        read(indices, target)
      },
    }
    return { reads, pass }
  }
  const idle = () => new Promise(resolve => setTimeout(resolve, 20))

  it('prepares one batch ahead while the thread is free, and touches none that is in use', async () => {
    const data = dataset(10)
    const options = { batchSize: 2, normalization, training: training() }
    const expected = await collect(data, options)
    const { reads, pass } = counted(data)
    const seen = []
    for await (const { images, labels, count } of batchesOf(pass, options)) {
      await idle()
      seen.push({ images: images.slice(), labels: labels.slice(), count })
      expect(reads.length).toBe(Math.min(seen.length + 1, 5))
    }
    expect(seen).toEqual(expected)
  })

  it('prepares nothing for a pass that was left, and tells of what cannot be read when its turn comes', async () => {
    const data = dataset(10)
    const { reads, pass } = counted(data)
    for await (const _ of batchesOf(pass, { batchSize: 2, normalization })) break
    await idle()
    expect(reads.length).toBe(1)

    const { pass: broken } = counted(data, indices => {
      if (Array.from(indices).includes(2)) throw new Error('the disk is gone')
    })
    const batches = batchesOf(broken, { batchSize: 2, normalization })[Symbol.asyncIterator]()
    expect((await batches.next()).value.count).toBe(2)
    await idle()
    await expect(batches.next()).rejects.toThrow('the disk is gone')
  })

  it.each([
    [{ batchSize: 0 }, /batchSize: expected a whole number of at least 1, got 0/],
    [
      { batchSize: 11 },
      /batchSize: a batch of 11 is larger than the 10 training images of data set 'array'; use at most 10/,
    ],
    [
      { normalization: { mean: [0], deviation: [1] } },
      /normalization.mean: expected a number for each of 3 channels, got 1/,
    ],
    [
      { normalization: { mean: [0, 0, 0], deviation: [1, 0, 1] } },
      /normalization.deviation.1: expected a number above 0, got 0/,
    ],
    [
      { training: training(0, 0, { crop: { padding: -1 } }) },
      /training.augmentation.crop.padding: expected a whole number of at least 0, got -1/,
    ],
    [{ view: { shift: [0, 0], flip: true } as const }, /view: it is for evaluation/],
    [{ firstBatch: 0.5 }, /firstBatch: expected a whole number of at least 0, got 0.5/],
  ])('refuses options that do not fit: %j', (options, message) => {
    const complete = { batchSize: 2, normalization, training: training(), ...options }
    expect(() => batchPlan(dataset(10), complete)).toThrow(message)
  })
})
