/** @file Dropout and stochastic depth: rate, scale, dependence on seed and stream. */
import { describe, expect, test } from 'vitest'
import { evaluate, type Given, scalar } from './evaluate.js'

const ones = (...shape: number[]): Given => ({ shape, values: Array(shape.reduce((a, b) => a * b)).fill(1) })
const seed = (value: number): Given => scalar(value, 'int32')

const dropped = async (given: Given, rate: number, seedValue = 1, stream = 2): Promise<number[]> =>
  (await evaluate('dropout', [given, seed(seedValue)], { rate, stream }))[0]

describe('dropout', () => {
  test.each([0.1, 0.5, 0.8])('keeps 1 − %d of the elements, and the mean', async rate => {
    const count = 40_000
    const values = await dropped(ones(count), rate)
    const kept = values.filter(value => value !== 0)
    for (const value of kept) expect(value).toBeCloseTo(1 / (1 - rate), 12)
    // Four standard deviations of a binomial distribution.
    expect(Math.abs(kept.length / count - (1 - rate))).toBeLessThan(4 * Math.sqrt((rate * (1 - rate)) / count))
  })

  test('the same seed and stream draw the same, others do not', async () => {
    const first = await dropped(ones(100), 0.5)
    expect(await dropped(ones(100), 0.5)).toEqual(first)
    expect(await dropped(ones(100), 0.5, 2)).not.toEqual(first)
    expect(await dropped(ones(100), 0.5, 1, 3)).not.toEqual(first)
    expect(await dropped(ones(100), 0.5, -5)).not.toEqual(first)
  })

  test('no seed: the identity', async () => {
    expect(await evaluate('dropout', [ones(5)], { rate: 0.9, stream: 0 })).toEqual([[1, 1, 1, 1, 1]])
  })
})

test('stochastic depth drops whole images', async () => {
  const images = 2000
  const [values] = await evaluate('stochasticDepth', [ones(images, 2, 2, 3), seed(9)], { rate: 0.2, stream: 4 })
  let kept = 0
  for (let n = 0; n < images; n++) {
    const image = new Set(values.slice(n * 12, (n + 1) * 12))
    expect(image.size).toBe(1)
    if (!image.has(0)) kept++
  }
  expect(Math.abs(kept / images - 0.8)).toBeLessThan(4 * Math.sqrt(0.16 / images))
})
