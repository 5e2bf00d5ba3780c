/** @file 16-bit floats: every bit pattern survives, and rounding is to the nearest, ties to even. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeHalf, encodeHalf, type HalfType, roundArrayToHalf } from '../../src/graph/float16.js'

const types: readonly HalfType[] = ['bfloat16', 'float16']
const all = Uint16Array.from({ length: 65536 }, (_, i) => i)

function rounded(x: number, dtype: HalfType): number {
  const array = Float64Array.of(x)
  roundArrayToHalf(array, dtype)
  return array[0]
}

describe.each(types)('%s', dtype => {
  const values = decodeHalf(all, dtype)

  test('every number encodes to the bits it came from', () => {
    const bits = encodeHalf(values, dtype)
    all.forEach((expected, i) => {
      if (Number.isNaN(values[i])) expect(Number.isNaN(decodeHalf(bits.subarray(i, i + 1), dtype)[0])).toBe(true)
      else if (bits[i] !== expected) expect(bits[i], `bits ${expected}`).toBe(expected)
    })
  })

  test('rounds to one of the two neighbours: the nearer, or the even one', () => {
    const positive = values.slice(0, dtype === 'float16' ? 0x7c00 : 0x7f80) // ascending, without infinity
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: positive.length - 2 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (i, part) => {
          const [low, high] = [positive[i], positive[i + 1]]
          const x = low + part * (high - low)
          const middle = low + (high - low) / 2
          const expected = x < middle ? low : x > middle ? high : i % 2 === 0 ? low : high
          expect(rounded(x, dtype)).toBe(expected)
          expect(rounded(middle, dtype)).toBe(i % 2 === 0 ? low : high)
          expect(rounded(-x, dtype)).toBe(-expected)
        },
      ),
    )
  })
})

test.each([
  ['float16', 65519.99, 65504],
  ['float16', 65520, Number.POSITIVE_INFINITY],
  ['float16', -1e300, Number.NEGATIVE_INFINITY],
  ['float16', 2 ** -25, 0],
  ['float16', 2 ** -25 * 1.0001, 2 ** -24],
  ['float16', -1e-30, -0],
  ['bfloat16', 1 + 2 ** -8, 1],
  ['bfloat16', 1 + 3 * 2 ** -8, 1 + 2 ** -6],
  // Rounding to float32 first would lose the last term and then tie to even.
  ['bfloat16', 1 + 2 ** -8 + 2 ** -40, 1 + 2 ** -7],
  ['bfloat16', 3.4e38, Number.POSITIVE_INFINITY],
  ['bfloat16', Number.NaN, Number.NaN],
] as const)('%s of %d is %d', (dtype, x, expected) => {
  expect(Object.is(rounded(x, dtype), expected)).toBe(true)
})
