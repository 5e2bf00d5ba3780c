/** @file Claims about translation and mirroring. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CropAndFlip, type CropFill, type Flip, randomPlacement } from '../../../src/data/augment/crop-and-flip.js'
import { passKey } from '../../../src/data/augment/keys.js'
import { normalizationTable } from '../../../src/data/normalization.js'
import { randomAt } from '../../../src/random.js'

type Shape = readonly [number, number, number]

const noise = (length: number, key = 1): Uint8Array => Uint8Array.from({ length }, (_, i) => randomAt(key, i) * 256)
const normalization = { mean: [0.5, 0.4, 0.3], deviation: [0.2, 0.25, 0.3] }
const table = normalizationTable(normalization)
/** Of one channel, levels as fractions. */
const fractions = normalizationTable({ mean: [0], deviation: [1] })

/** One image as the definition says: pad the normalized image, crop at (top, left) of the padded image, mirror. */
function naive(
  pixels: Uint8Array,
  [height, width, channels]: Shape,
  [padding, fill]: readonly [number, CropFill],
  [top, left, flip]: readonly [number, number, boolean],
): Float32Array {
  const at = (y: number, x: number, c: number): number => {
    if (y < 0) return fill === 'reflect' ? at(-y, x, c) : 0
    if (x < 0) return fill === 'reflect' ? at(y, -x, c) : 0
    if (y >= height) return fill === 'reflect' ? at(2 * (height - 1) - y, x, c) : 0
    if (x >= width) return fill === 'reflect' ? at(y, 2 * (width - 1) - x, c) : 0
    return (pixels[(y * width + x) * channels + c] / 255 - normalization.mean[c]) / normalization.deviation[c]
  }
  return Float32Array.from({ length: height * width * channels }, (_, i) => {
    const [c, x, y] = [i % channels, Math.floor(i / channels) % width, Math.floor(i / channels / width)]
    return at(y + top - padding, (flip ? width - 1 - x : x) + left - padding, c)
  })
}

describe('crop and flip', () => {
  it('equal padding, cropping and mirroring the normalized image, pixel by pixel', () => {
    const size = fc.integer({ min: 1, max: 9 })
    const options = fc.record({
      shape: fc.tuple(size, size, fc.constantFrom(1, 2, 3)),
      padding: fc.nat({ max: 12 }),
      fill: fc.constantFrom<CropFill>('zero', 'reflect'),
      flip: fc.constantFrom<Flip | undefined>('random', undefined),
      seed: fc.nat(),
      epoch: fc.nat({ max: 300 }),
      index: fc.nat({ max: 1e6 }),
    })
    fc.assert(
      fc.property(options, ({ shape, padding: wide, fill, flip, seed, epoch, index }) => {
        const padding = fill === 'zero' ? wide : wide % Math.min(shape[0], shape[1])
        const pixels = noise(shape[0] * shape[1] * shape[2], seed)
        const target = new Float32Array(pixels.length).fill(Number.NaN)
        const changed = new CropAndFlip(shape)
        randomPlacement({ crop: { padding, fill }, ...(flip && { flip }) }, { seed, epoch }, changed)(index)
        changed.normalize(pixels, 0, table, target, 0)
        const draw = (i: number): number => randomAt(passKey('augmentation', { seed, epoch }), 3 * index + i)
        const start = (i: number): number => Math.floor(draw(i) * (2 * padding + 1))
        const placement = [start(0), start(1), flip === 'random' && draw(2) < 0.5] as const
        expect(target).toEqual(naive(pixels, shape, [padding, fill], placement))
      }),
    )
  })

  it('draw every crop and both directions about equally often', () => {
    const seen = new Map<string, number>()
    const target = new Float32Array(3)
    const changed = new CropAndFlip([1, 3, 1])
    const place = randomPlacement(
      { crop: { padding: 1, fill: 'zero' }, flip: 'random' },
      { seed: 5, epoch: 0 },
      changed,
    )
    for (let index = 0; index < 6000; index++) {
      place(index)
      changed.normalize(Uint8Array.of(51, 102, 153), 0, fractions, target, 0)
      const key = Array.from(target, v => Math.round(v * 5)).join('')
      seen.set(key, (seen.get(key) ?? 0) + 1)
    }
    // A third of the rows is inside the image; there are three columns and two directions: 1/18 each.
    expect([...seen.keys()].sort()).toEqual(['000', '012', '032', '123', '210', '230', '321'].sort())
    for (const [key, count] of seen) expect(count / 6000).toBeCloseTo(key === '000' ? 2 / 3 : 1 / 18, 1.5)
  })

  it('alternating, mirror half of the images first, then the others, and so on', () => {
    const changed = new CropAndFlip([1, 2, 1])
    const target = new Float32Array(2)
    const flipped = (epoch: number, seed = 3): boolean[] => {
      const place = randomPlacement({ flip: 'alternating' }, { seed, epoch }, changed)
      return Array.from({ length: 1000 }, (_, index) => {
        place(index)
        changed.normalize(Uint8Array.of(0, 255), 0, table, target, 0)
        return target[0] > target[1]
      })
    }
    const first = flipped(0)
    const others = first.map(flip => !flip)
    expect(first.filter(Boolean).length / 1000).toBeCloseTo(0.5, 1)
    expect([1, 2, 3, 4].map(epoch => flipped(epoch))).toEqual([others, first, others, first])
    expect(flipped(0, 4)).not.toEqual(first)
  })

  it('reflect as PyTorch pads: the outermost pixel is not repeated', () => {
    const line = (left: number, flip = false): number[] => {
      const changed = new CropAndFlip([1, 4, 1])
      changed.place(0, left, flip, 'reflect')
      const target = new Float32Array(4)
      changed.normalize(Uint8Array.of(51, 102, 153, 204), 0, fractions, target, 0)
      return Array.from(target, v => Math.round(v * 5))
    }
    // torch.nn.functional.pad of [1, 2, 3, 4] by 3 with mode 'reflect': 4 3 2 1 2 3 4 3 2 1.
    expect(line(-3)).toEqual([4, 3, 2, 1])
    expect(line(3)).toEqual([4, 3, 2, 1])
    expect(line(2)).toEqual([3, 4, 3, 2])
    expect(line(2, true)).toEqual([2, 3, 4, 3])
  })
})
