/** @file Claims about intervals of accuracies: Wilson's, as tables have them. */
import { expect, test } from 'vitest'
import { wilsonInterval } from '../../src/account/interval.js'

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
