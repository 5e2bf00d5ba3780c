/** @file Claims about intervals of accuracies: Wilson's, as tables have them, and that of a paired difference. */
import { expect, test } from 'vitest'
import { pairedInterval, wilsonInterval } from '../../src/account/interval.js'

test.each([
  // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('%d of %d', (right, count, low, high) => {
  expect(wilsonInterval(right / count, count)).toEqual([expect.closeTo(low, 4), expect.closeTo(high, 4)])
})

test('all of them is not certainly all', () => {
  const [low, high] = wilsonInterval(1, 10)
  expect(high).toBeCloseTo(1, 12)
  expect(low).toBeCloseTo(1 - 0.2775, 3)
})

/** How often the interval holds the difference, where an image is in the second share alone with chance p, in the first alone with q. */
function coverage(count: number, p: number, q: number): number {
  const logFactorial = [0]
  for (let i = 1; i <= count; i++) logFactorial.push(logFactorial[i - 1] + Math.log(i))
  let sum = 0
  for (let gained = 0; gained <= count; gained++) {
    for (let lost = 0; gained + lost <= count; lost++) {
      const rest = count - gained - lost
      const ways = logFactorial[count] - logFactorial[gained] - logFactorial[lost] - logFactorial[rest]
      const chance = Math.exp(ways + gained * Math.log(p) + lost * Math.log(q) + rest * Math.log(1 - p - q))
      const [low, high] = pairedInterval(gained, lost, count)
      if (low <= p - q && p - q <= high) sum += chance
    }
  }
  return sum
}

test.each([
  [30, 0.1, 0.1],
  [30, 0.3, 0.05],
  [100, 0.1, 0.02],
  [100, 0.05, 0.05],
  [300, 0.2, 0.1],
])('a paired difference lies in its interval with about 95 %: of %d images, %d gained, %d lost', (count, p, q) => {
  expect(coverage(count, p, q)).toBeGreaterThan(0.935)
  expect(coverage(count, p, q)).toBeLessThan(0.985)
})

test('the more images agree, the surer a difference', () => {
  const width = ([low, high]: readonly [number, number]): number => high - low
  expect(width(pairedInterval(10, 5, 100))).toBeLessThan(width(pairedInterval(40, 35, 100)))
  expect(pairedInterval(0, 0, 8).map(Math.abs)).toEqual([expect.closeTo(0.196, 2), expect.closeTo(0.196, 2)])
})
