/** @file Claims about the search for an amount: what it finds is right wherever the limit lies, with few measurements. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bisect } from '../../src/bisect.js'
import { amountsUpTo, largestThatKeeps, smallestThatFits } from '../../src/compress/search.js'

test('amounts are multiples of a fiftieth, as far as a model can be pruned, and at most 0.9', () => {
  expect(amountsUpTo(0.071)).toEqual([0, 0.02, 0.04, 0.06])
  expect(amountsUpTo(1).at(-1)).toBe(0.9)
  expect(amountsUpTo(0)).toEqual([0])
  expect(amountsUpTo(0.06)).toEqual([0, 0.02, 0.04, 0.06])
})

const whole = fc.integer({ min: -1000, max: 1000 })

test('halves find the last that will do, from either side', async () => {
  await fc.assert(
    fc.asyncProperty(whole, whole, fc.nat(), async (good, bad, at) => {
      fc.pre(good !== bad)
      const toBad = Math.sign(bad - good)
      const last = good + toBad * (at % Math.abs(bad - good))
      let asked = 0
      const found = await bisect({ good, bad }, async candidate => {
        asked++
        return toBad * (candidate - last) <= 0
      })
      expect(found).toBe(last)
      expect(asked).toBeLessThanOrEqual(Math.ceil(Math.log2(Math.abs(bad - good))))
    }),
  )
})

const amounts = amountsUpTo(0.8)

test('the smallest amount that fits is found in a few measurements', async () => {
  for (const integers of [false, true]) {
    for (const smallest of amounts.slice(integers ? 0 : 1)) {
      let measured = 0
      const measure = async (amount: number) => {
        measured++
        return { latency: amount >= smallest ? 0.5 : 0.51, bytes: 1 }
      }
      const targets = [{ kind: 'latency', most: 0.5 }] as const
      expect(await smallestThatFits(amounts, { targets, integers, measure })).toBe(smallest)
      expect(measured).toBeLessThanOrEqual(8)
    }
  }
})

test('where not even the largest amount fits, none is found; without integers, that of no pruning is not even measured', async () => {
  const measured: number[] = []
  const measure = async (amount: number) => {
    measured.push(amount)
    return { latency: 1, bytes: 1 }
  }
  const targets = [{ kind: 'bytes', most: 0.001 }] as const
  expect(await smallestThatFits(amounts, { targets, integers: true, measure })).toBeUndefined()
  expect(measured).toEqual([0, 0.8])
  expect(await smallestThatFits([0], { targets, integers: false, measure })).toBeUndefined()
  expect(measured).toEqual([0, 0.8])
})

test('an amount that keeps its accuracy is found by training at most five, near the largest', async () => {
  for (const largest of amounts) {
    const trained: number[] = []
    const found = await largestThatKeeps(amounts, async amount => {
      if (amount > 0) trained.push(amount)
      return amount <= largest
    })
    expect(found).toBeLessThanOrEqual(largest)
    expect(found).toBeGreaterThan(largest - 0.05)
    expect(trained.length).toBeLessThanOrEqual(5)
  }
})

test('where all lose too much, none is found; where only integers alone do, a pruned one may be', async () => {
  expect(await largestThatKeeps(amounts, async () => false)).toBeUndefined()
  expect(await largestThatKeeps(amounts, async amount => amount > 0 && amount <= 0.3)).toBeGreaterThan(0.25)
})
