/** @file Claims about the values that weights start with. */
import { expect, test } from 'vitest'
import { initialValues } from '../../src/nn/initializers.js'

test('dirac passes each channel on in the first filters, the rest are uniform', () => {
  const values = initialValues([5, 2, 3, 3], { type: 'dirac', bound: 0.25 }, 1)
  const filter = (index: number) => [...values.subarray(18 * index, 18 * index + 18)]
  const one = (at: number) => Array.from({ length: 18 }, (_, i) => (i === at ? 1 : 0))
  expect([filter(0), filter(1)]).toEqual([one(4), one(9 + 4)])
  const rest = values.subarray(36)
  expect(rest.every(value => Math.abs(value) <= 0.25)).toBe(true)
  expect(new Set(rest).size).toBe(rest.length)
})

test('a start takes memory for its own values only, however many go into a filter', () => {
  // A covariance of 180,000 values by 180,000 would be larger than any array.
  expect(initialValues([1, 20_000, 3, 3], { type: 'zeros' }, 0).length).toBe(180_000)
})
