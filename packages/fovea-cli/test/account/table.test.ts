/** @file Claims about the table of an account. */
import { expect, test } from 'vitest'
import { pointsOf } from '../../src/account/table.js'

test.each([
  [0.123, '+12.3 points'],
  [-0.0031, '−0.3 points'],
  [-0.0004, '0.0 points'],
  [0.0004, '0.0 points'],
])('a difference of %d is %s', (difference, text) => {
  expect(pointsOf(difference)).toBe(text)
})
