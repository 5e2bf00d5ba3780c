/** @file Claims about mixing the images of a batch. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { symmetricBeta } from '../../../src/data/augment/beta.js'
import { type MixOptions, mixSetting, randomMix } from '../../../src/data/augment/mix.js'
import { randomAt } from '../../../src/random.js'

const shape = [5, 7, 2] as const
const length = 5 * 7 * 2

/** Images before and after, and what is said of the mix. */
function mixed(options: MixOptions, { count = 6, batch = 0, epoch = 0 } = {}) {
  const before = Float32Array.from({ length: count * length }, (_, i) => randomAt(9, i))
  const after = before.slice()
  const labels = Int32Array.from({ length: count }, (_, i) => 10 + i)
  const mix = randomMix(options, { seed: 5, epoch }, shape)(batch, after, labels)
  const pixel = (of: Float32Array, n: number, i: number): number => of[n * length + i]
  return { before, after, labels, mix, pixel }
}

const batches = fc.record({
  count: fc.integer({ min: 1, max: 7 }),
  batch: fc.nat(),
  alpha: fc.double({ min: 0.1, max: 4, noNaN: true }),
})

describe('mixup', () => {
  it('gives each image the weighted mean with its partner, the batch in reverse order', () => {
    fc.assert(
      fc.property(batches, ({ count, batch, alpha }) => {
        const { before, after, labels, mix, pixel } = mixed({ type: 'mixup', alpha }, { count, batch })
        expect(Array.from(labels)).toEqual(Array.from({ length: count }, (_, i) => 10 + i))
        expect(Array.from(mix.labels)).toEqual(Array.from(labels).reverse())
        const error = after.map((value, i) => {
          const other = pixel(before, count - 1 - Math.floor(i / length), i % length)
          return value - ((1 - mix.weight) * before[i] + mix.weight * other)
        })
        expect(Math.max(...error.map(Math.abs))).toBeLessThan(1e-6)
      }),
    )
  })
})

describe('cutmix', () => {
  it("replaces a rectangle by the partner's; its share of the image is the weight of the partner's label", () => {
    fc.assert(
      fc.property(batches, ({ count, batch, alpha }) => {
        fc.pre(count > 1)
        const { before, after, mix, pixel } = mixed({ type: 'cutmix', alpha }, { count, batch })
        const places: number[] = []
        for (let i = 0; i < length; i++) if (pixel(after, 0, i) !== pixel(before, 0, i)) places.push(i)
        const expected = before.map((value, i) => {
          const partner = count - 1 - Math.floor(i / length)
          return places.includes(i % length) ? pixel(before, partner, i % length) : value
        })
        expect(after).toEqual(expected)
        expect(mix.weight).toBe(places.length / length)
        const [rows, columns] = [new Set(places.map(i => Math.floor(i / 14))), new Set(places.map(i => (i >> 1) % 7))]
        expect(places).toHaveLength(rows.size * columns.size * 2)
      }),
    )
  })

  it('leaves the image in the middle of an odd batch as it is', () => {
    const { before, after } = mixed({ type: 'cutmix', alpha: 1 }, { count: 3 })
    expect(after.subarray(length, 2 * length)).toEqual(before.subarray(length, 2 * length))
  })
})

describe.each(['mixup', 'cutmix'] as const)('%s', type => {
  it('is drawn anew for each batch and each epoch, and the same for the same', () => {
    const weight = (batch: number, epoch: number): number => mixed({ type, alpha: 1 }, { batch, epoch }).mix.weight
    const weights = [0, 1, 2, 3, 4].flatMap(batch => [0, 1, 2].map(epoch => weight(batch, epoch)))
    expect(new Set(weights).size).toBeGreaterThan(5)
    expect([0, 1, 2, 3, 4].flatMap(batch => [0, 1, 2].map(epoch => weight(batch, epoch)))).toEqual(weights)
  })

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses an alpha of %d', alpha => {
    expect(() => mixSetting.parse({ type, alpha }, 'mix')).toThrow(`mix.alpha: expected a number above 0, got ${alpha}`)
  })
})

it('an unknown kind is named', () => {
  expect(() => mixSetting.parse({ type: 'mix-up', alpha: 1 }, 'mix')).toThrow(
    "mix.type: unknown 'mix-up'; did you mean 'mixup'?",
  )
})

describe('Beta(alpha, alpha)', () => {
  it.each([0.01, 0.2, 1, 2.5, 30])('%d has its mean, its variance, and as much on either side', alpha => {
    const draws = Array.from({ length: 20_000 }, (_, i) => symmetricBeta(alpha, i))
    const mean = draws.reduce((sum, x) => sum + x) / draws.length
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length
    expect(mean).toBeCloseTo(0.5, 1.9)
    expect(variance * 4 * (2 * alpha + 1)).toBeCloseTo(1, 1.3)
    expect(draws.every(x => x >= 0 && x <= 1)).toBe(true)
  })

  it('of alpha 1 is uniform', () => {
    const draws = Array.from({ length: 20_000 }, (_, i) => symmetricBeta(1, i))
    for (let tenth = 0; tenth < 10; tenth++) {
      const within = draws.filter(x => x >= tenth / 10 && x < (tenth + 1) / 10)
      expect(within.length / 20_000).toBeCloseTo(0.1, 1.9)
    }
  })
})
