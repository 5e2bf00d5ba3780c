import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arrayDataset } from '../../src/data/array-dataset.js'
import type { Dataset } from '../../src/data/dataset.js'
import { concat, split, subset, take } from '../../src/data/subset.js'

/** Images are their own index, so that a view shows what it holds. */
const data = (counts: readonly number[]): Dataset => {
  const labels = counts.flatMap((count, label) => Array.from({ length: count }, () => label))
  const images = Uint8Array.from(labels.keys())
  return arrayDataset({ images, labels, imageShape: [1, 1, 1], classes: counts.map(String) })
}
const members = (part: Dataset): number[] => {
  const target = new Uint8Array(part.length)
  part.read(Array.from(target.keys()), target)
  return Array.from(target)
}
const histogram = ({ labels, classes }: Dataset): number[] => classes.map((_, c) => labels.filter(l => l === c).length)

describe('split', () => {
  it('holds out the fraction of each class, and every image is in exactly one part', () => {
    const { train, test } = split(data([50, 20, 10, 2, 1]), 0.2)
    expect(histogram(test)).toEqual([10, 4, 2, 1, 0])
    expect(histogram(train)).toEqual([40, 16, 8, 1, 1])
    expect([...members(train), ...members(test)].sort((a, b) => a - b)).toEqual(members(data([50, 20, 10, 2, 1])))
  })

  it('depends on the seed alone', () => {
    const whole = data([50, 20])
    expect(members(split(whole, 0.5, 1).test)).toEqual(members(split(whole, 0.5, 1).test))
    expect(members(split(whole, 0.5, 1).test)).not.toEqual(members(split(whole, 0.5, 2).test))
    expect(split(whole, 0.5, 1).test.fingerprint).not.toBe(split(whole, 0.5, 2).test.fingerprint)
  })

  it('refuses a fraction outside (0, 1)', () => {
    expect(() => split(data([4]), 1)).toThrow('fraction: expected a number above 0 and below 1, got 1')
  })
})

describe('take', () => {
  it('keeps the proportions of the classes and takes exactly the count', () => {
    expect(histogram(take(data([50, 25, 25]), 10))).toEqual([5, 3, 2])
    expect(histogram(take(data([50, 50, 50]), 100))).toEqual([34, 33, 33])
    expect(take(data([3, 3]), 6).length).toBe(6)
  })

  it('leaves an image of every class, however rare, and refuses a count that cannot', () => {
    expect(histogram(take(data([100, 3, 3]), 8))).toEqual([6, 1, 1])
    expect(histogram(take(data([100, 1, 1, 1]), 5))).toEqual([2, 1, 1, 1])
    expect(histogram(take(data([5, 1, 1]), 3))).toEqual([1, 1, 1])
    expect(() => take(data([100, 3, 3]), 2)).toThrow(
      /^count: 2 images of data set '.*' cannot be of all its 3 classes \('.*', '.*', '.*'\); take 3 or more$/,
    )
  })

  it('takes exactly the count, and no class more than it has or less than one, whatever the proportions', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
        fc.nat(320),
        (lengths, more) => {
          const counts = histogram(take(data(lengths), lengths.length + more))
          const all = lengths.reduce((sum, n) => sum + n, 0)
          expect(counts.reduce((sum, n) => sum + n, 0)).toBe(Math.min(all, lengths.length + more))
          counts.forEach((count, label) => {
            expect(count).toBeGreaterThanOrEqual(1)
            expect(count).toBeLessThanOrEqual(lengths[label])
          })
        },
      ),
    )
  })
})

it('a subset refuses an index that the data set does not have', () => {
  expect(() => subset(data([3]), [0, 3])).toThrow('has 3 images, none at 3')
  expect(() => subset(data([3]), [-1])).toThrow('none at -1')
})

it('parts of a data set that knows hashes of its images know theirs', () => {
  const whole = { ...data([2, 2]), hashes: ['p', 'q', 'r', 's'] }
  expect(subset(whole, [3, 0]).hashes).toEqual(['s', 'p'])
  expect(concat(subset(whole, [3, 0]), whole).hashes).toEqual(['s', 'p', 'p', 'q', 'r', 's'])
  expect(concat(whole, data([2, 2])).hashes).toBeUndefined()
  expect(subset(data([2]), [1]).hashes).toBeUndefined()
})

describe('concat', () => {
  it('is one data set after the other', () => {
    const whole = data([3, 4])
    const joined = concat(subset(whole, [0, 5]), subset(whole, [2, 1, 6]), 'joined')
    expect(joined).toMatchObject({ name: 'joined', length: 5, classes: whole.classes })
    expect(members(joined)).toEqual([0, 5, 2, 1, 6])
    expect([...joined.labels]).toEqual([0, 1, 0, 0, 1])
    expect(members(subset(joined, [4, 0]))).toEqual([6, 0])
    expect(joined.fingerprint).not.toBe(concat(subset(whole, [2, 1, 6]), subset(whole, [0, 5])).fingerprint)
  })

  it('refuses images of other sizes or classes', () => {
    expect(() => concat(data([3, 4]), data([3, 5]))).toThrow("data sets 'array' and 'array' differ")
  })
})
