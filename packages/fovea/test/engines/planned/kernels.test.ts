/** @file Claims about the table of kernels: its sizes are arithmetic over its own fields, and fields are given in its order. */
import { describe, expect, test } from 'vitest'
import { encode, kernelBytes } from '../../../src/engines/planned/kernels/emit.js'
import { type Field, isBuffer } from '../../../src/engines/planned/kernels/field.js'
import { evaluate } from '../../../src/engines/planned/kernels/size.js'
import { kernels } from '../../../src/engines/planned/kernels/table.js'
import type { Operand } from '../../../src/engines/planned/steps.js'

const entries = Object.entries(kernels) as [string, Readonly<Record<string, Field>>][]
const operand = (bytes: number): Operand => ({
  buffer: { bytes, state: false, perThread: false, zeroed: false, scratch: false, pendingReads: 0 },
  sliced: false,
})

describe.each(entries)('%s', (_, fields) => {
  const all = Object.entries(fields)
  const numbers = Object.fromEntries(
    all.flatMap(([name, field]) => {
      if (isBuffer(field) || field.role === 'number') return []
      return [[name, field.role === 'list' ? [2, 3] : field.role === 'integer' ? 2 : 0]]
    }),
  )

  test('each size is a number of its fields', () => {
    for (const [name, field] of all) {
      if (isBuffer(field)) expect(evaluate(field.count, numbers), name).toBeGreaterThan(0)
    }
  })

  test('a type that is no type of numbers is one of its fields', () => {
    for (const [name, field] of all) {
      if (!isBuffer(field) || !(field.type in fields)) continue
      expect(fields[field.type], name).toMatchObject({ of: 'ElementType' })
    }
  })
})

test.each<[string, number]>([
  ['1 + 2 * 3', 7],
  ['(1 + 2) * 3 - a', 4],
  ['up(a, 4) + max(a, min(2, 3)) * choose(0, 1, 10)', 58],
  ['quotient(a * 10, 4)', 12],
  ['spread(a)', 80],
  ['product(dims)', 6],
  ['reach(dims, strides)', 24],
])('%s is %d', (expression, value) => {
  expect(evaluate(expression, { a: 5, dims: [2, 3], strides: [21, 1] })).toBe(value)
})

test.each(['unknown', '1 +', '(1', '1 2', 'nonsense(1)', ''])("'%s' is no size", expression => {
  expect(() => evaluate(expression, {})).toThrow('is no size')
})

test('fields go in the order of the table, lists after their length, scratch is taken', () => {
  const [x, y] = [operand(16), operand(8)]
  const taken: number[] = []
  const step = encode(
    'reduce',
    {
      ...{ scale: 0.5, into: 'bfloat16', columns: 2, count: 3, outer: 1, type: 'float32', operation: 'maximum' },
      ...{ y, factor: undefined, x },
    },
    bytes => operand(taken.push(bytes)),
  )
  expect(step).toMatchObject({
    operands: [x, undefined, y, {}],
    writes: [2, 3],
    ints: [1, 0, 1, 3, 2, 1],
    floats: [0.5],
  })
  expect(taken).toEqual([16])
  const scaled = { x, y, type: 'float16', dims: [2, 3], strides: [0, 1], factor: 2 } as const
  expect(encode('scale', scaled, operand).ints).toEqual([2, 2, 2, 3, 2, 0, 1])
})

test('what depends on some numbers only is known by these', () => {
  expect(kernelBytes('batchNormMerge', 'sums', { channels: 3 })).toBe(8 * (8 + 2 * 3))
  expect(() => kernelBytes('batchNormMerge', 'sums', {})).toThrow('is no size')
})

test('a field that is missing, too much or of another type does not compile', () => {
  const [x, y] = [operand(16), operand(16)]
  const lacking = () =>
    // @ts-expect-error: columns are missing
    encode('softmax', { x, y, rows: 2 }, operand)
  const unknown = () =>
    // @ts-expect-error: softmax has no epsilon
    encode('softmax', { x, y, rows: 2, columns: 2, epsilon: 0 }, operand)
  const wrong = () =>
    // @ts-expect-error: activations have names
    encode('activation', { x, y, elements: 4, type: 'float32', activation: 1 }, operand)
  expect([lacking, unknown, wrong]).toHaveLength(3)
})
