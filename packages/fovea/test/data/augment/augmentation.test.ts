/** @file Claims that hold for every augmentation: what an image becomes depends on seed, epoch and its index alone. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arrayDataset } from '../../../src/data/array-dataset.js'
import { type Augmentation, parseAugmentation } from '../../../src/data/augment/augmentation.js'
import { batchPlan } from '../../../src/data/batches.js'
import { randomAt } from '../../../src/random.js'

const LENGTH = 40
/** One class an image, so that an image can be told by its label. */
const dataset = (shape: readonly [number, number, number]) =>
  arrayDataset({
    images: Uint8Array.from({ length: LENGTH * shape[0] * shape[1] * shape[2] }, (_, i) => randomAt(1, i) * 256),
    labels: Array.from({ length: LENGTH }, (_, i) => i),
    imageShape: shape,
    classes: Array.from({ length: LENGTH }, (_, i) => String(i)),
  })
const color = dataset([9, 8, 3])
const grey = dataset([6, 7, 1])

interface Pass {
  readonly seed?: number
  readonly epoch?: number
  readonly batchSize?: number
  readonly indices?: readonly number[]
}

/** What each image becomes, by its index; of 8-bit levels. */
function prepared(augmentation: Augmentation, pass: Pass = {}, data = color): Map<number, string> {
  const { seed = 3, epoch = 0, batchSize = 4, indices } = pass
  const channels = data.imageShape[2]
  const length = data.imageShape[0] * data.imageShape[1] * channels
  const mean = [0.5, 0.4, 0.3].slice(0, channels)
  const plan = batchPlan(data, {
    batchSize,
    normalization: { mean, deviation: mean.map(() => 1 / 255) },
    training: { seed, epoch, augmentation },
    ...(indices && { indices: Uint32Array.from(indices) }),
  })
  const images = new Float32Array(batchSize * length).fill(Number.NaN)
  const labels = new Int32Array(batchSize)
  const result = new Map<number, string>()
  for (let batch = 0; batch < plan.length; batch++) {
    plan.prepare(batch, images, labels)
    for (let n = 0; n < batchSize; n++) {
      const levels = images.subarray(n * length, (n + 1) * length).map((value, i) => value + 255 * mean[i % channels])
      expect(levels.every(level => level > -0.001 && level < 255.001)).toBe(true)
      result.set(labels[n], Array.from(levels, level => level.toFixed(3)).join(' '))
    }
  }
  return result
}

const each: Augmentation[] = [
  { crop: { padding: 2 } },
  { crop: { padding: 3, fill: 'reflect' } },
  { flip: 'random' },
  { flip: 'alternating' },
  { resizedCrop: {} },
  { policy: { type: 'rand-augment' } },
  { policy: { type: 'trivial-augment' } },
  { colorJitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 } },
  { erase: { type: 'cutout', size: 3 } },
  { erase: { type: 'random-erasing' } },
  {
    crop: { padding: 1 },
    flip: 'random',
    policy: { type: 'rand-augment', operations: 3, magnitude: 20 },
    colorJitter: { brightness: 2, hue: 0.5 },
    erase: { type: 'cutout', size: 4 },
  },
  { resizedCrop: { scale: [0.3, 0.6] }, flip: 'alternating', erase: { type: 'random-erasing', probability: 0.9 } },
]

describe.each(each)('%j', augmentation => {
  it('is the same in any batch, of any subset, and another in another epoch and of another seed', () => {
    const whole = prepared(augmentation)
    expect(whole.size).toBe(LENGTH)
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat({ max: LENGTH - 1 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 12 }),
        (indices, batchSize) => {
          const some = prepared(augmentation, { indices, batchSize: Math.min(batchSize, indices.length) })
          for (const [index, image] of some) expect(image).toBe(whole.get(index))
        },
      ),
      { numRuns: 20 },
    )
    expect(prepared(augmentation, { epoch: 1 })).not.toEqual(whole)
    expect(prepared(augmentation, { seed: 4 })).not.toEqual(whole)
  })

  it('works on grey images too', () => {
    expect(prepared(augmentation, {}, grey).size).toBe(LENGTH)
  })
})

it.each<Augmentation>([
  { crop: { padding: 0 } },
  { crop: { padding: 0, fill: 'reflect' } },
  { resizedCrop: { scale: [1, 1], ratio: [8 / 9, 8 / 9] } },
  { colorJitter: {} },
  { colorJitter: { brightness: 0, contrast: 0, saturation: 0, hue: 0 } },
  { erase: { type: 'cutout', size: 0 } },
  { erase: { type: 'random-erasing', probability: 0 } },
])('%j leaves images as they are', augmentation => {
  expect(prepared(augmentation)).toEqual(prepared({}))
})

it('a policy sees the crop: what it uncovers has the mean colour, rounded to 8 bits', () => {
  const [image] = prepared({ crop: { padding: 1000 }, policy: { type: 'rand-augment', magnitude: 0 } }).values()
  expect([...new Set(image.split(' '))].sort()).toEqual(['102.000', '128.000', '77.000'])
  const [normalized] = prepared({ crop: { padding: 1000 } }).values()
  expect([...new Set(normalized.split(' '))].sort()).toEqual(['102.000', '127.500', '76.500'])
})

it.each([
  [{ cropp: { padding: 4 } }, "augmentation.cropp: unknown option; did you mean 'crop'"],
  [[], 'augmentation: expected { resizedCrop, crop, flip, policy, colorJitter, erase, mix }, got []'],
  [{ crop: { padding: 4 }, resizedCrop: {} }, 'give crop (a translation) or resizedCrop (an enlarged part), not both'],
  [{ flip: true }, "augmentation.flip: expected 'random' or 'alternating', got true"],
  [{ flip: 'alternate' }, "augmentation.flip: unknown 'alternate'; did you mean 'alternating'?"],
  [{ crop: { padding: 1.5 } }, 'augmentation.crop.padding: expected a whole number of at least 0, got 1.5'],
  [{ crop: { padding: 1, fill: 'reflected' } }, "augmentation.crop.fill: unknown 'reflected'; did you mean 'reflect'?"],
  [{ crop: { padding: 1, size: 4 } }, 'augmentation.crop.size: unknown option; known: padding, fill'],
  [
    { crop: { padding: 4, fill: 'reflect' } },
    'augmentation.crop.padding: 4 pixels cannot be reflected from images of 5×4; use at most 3',
  ],
  [{ mix: { type: 'mixup', alpha: 0 } }, 'augmentation.mix.alpha: expected a number above 0, got 0'],
])('%j is refused', (augmentation, message) => {
  expect(() => parseAugmentation(augmentation, [5, 4, 3])).toThrow(message)
})
