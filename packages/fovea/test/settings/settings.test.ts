/** @file Claims about settings: a table reads what may be anything, names what is wrong by its path, and says what it expects. */
import { describe, expect, test } from 'vitest'
import { SettingError } from '../../src/errors.js'
import { describeValue } from '../../src/settings/describe.js'
import { group, variants } from '../../src/settings/group.js'
import { callback, choice, flag, list, number, numberIn, text, tuple, whole } from '../../src/settings/kinds.js'

const options = group('a bit of everything', {
  rate: number('how fast', { above: 0, below: 1 }).default(0.5),
  steps: whole('how many', { from: 1 }),
  how: choice('in which way', ['fast', 'slow']).optional(),
  deep: group('a part', { names: list('of layers', 'names', text('a name')).optional() }).optional(),
  kind: variants('one of two', {
    plain: {},
    fancy: { size: tuple('of it', ['height', 'width'], whole('pixels')) },
  }).optional(),
  loud: flag('with noise').default(false),
  onStep: callback('after each').optional(),
})
const parse = (value: unknown) => options.parse(value, '')

test('what is not given has its default, or is absent', () => {
  expect(parse({ steps: 3, how: undefined })).toEqual({ rate: 0.5, steps: 3, loud: false })
  const all = {
    rate: 0.1,
    steps: 1,
    how: 'slow',
    deep: { names: ['a'] },
    kind: { type: 'fancy', size: [1, 2] },
    loud: true,
  }
  expect(parse(all)).toEqual(all)
  expect(parse(parse(all))).toEqual(all)
})

test.each<[unknown, string]>([
  [undefined, ': missing; expected { rate, steps, how, deep, kind, loud, onStep }'],
  [null, 'options: expected { rate, steps'],
  [[1], 'options: expected { rate, steps, how, deep, kind, loud, onStep }, got [1]'],
  [new Map(), 'got a Map'],
  ['fast', "got 'fast'"],
  [Promise.resolve({ steps: 1 }), 'got a promise (write await before it)'],
  [{}, 'steps: missing; expected a whole number of at least 1'],
  [{ step: 1 }, "step: unknown option; did you mean 'steps'?"],
  [{ steps: 1, optimizer: 1 }, 'optimizer: unknown option; known: rate, steps, how, deep, kind, loud, onStep'],
  [{ steps: '1' }, "steps: expected a whole number of at least 1, got '1'"],
  [{ steps: 1.5 }, 'steps: expected a whole number of at least 1, got 1.5'],
  [{ steps: 1n }, 'steps: expected a whole number of at least 1, got 1n'],
  [{ steps: 1, rate: Number.NaN }, 'rate: expected a number above 0 and below 1, got NaN'],
  [{ steps: 1, rate: 1 }, 'rate: expected a number above 0 and below 1, got 1'],
  [{ steps: 1, rate: null }, 'rate: expected a number above 0 and below 1, got null'],
  [{ steps: 1, how: 'fsat' }, "how: unknown 'fsat'; did you mean 'fast'?"],
  [{ steps: 1, how: 'with the greatest care' }, "how: unknown 'with the greatest care'; known: fast, slow"],
  [{ steps: 1, how: true }, "how: expected 'fast' or 'slow', got true"],
  [{ steps: 1, deep: { name: [] } }, "deep.name: unknown option; did you mean 'names'?"],
  [{ steps: 1, deep: { names: 'conv1' } }, "deep.names: expected a list of names, got 'conv1'"],
  [{ steps: 1, deep: { names: ['a', 7] } }, 'deep.names.1: expected a text, got 7'],
  [{ steps: 1, kind: 'fancy' }, "kind: expected { type: 'plain' or 'fancy', … }, got 'fancy'; write { type: 'fancy' }"],
  [{ steps: 1, kind: {} }, "kind.type: expected 'plain' or 'fancy', got undefined"],
  [{ steps: 1, kind: { type: 'fanci', size: 1 } }, "kind.type: unknown 'fanci'; did you mean 'fancy'?"],
  [{ steps: 1, kind: { type: 'plain', size: 1 } }, 'kind.size: unknown option; there are none here'],
  [{ steps: 1, kind: { type: 'fancy', size: [1] } }, 'kind.size: expected [height, width], got [1]'],
  [{ steps: 1, kind: { type: 'fancy', size: [1, 'x'] } }, "kind.size.1: expected a whole number, got 'x'"],
  [{ steps: 1, loud: 'yes' }, "loud: expected true or false, got 'yes'"],
  [{ steps: 1, onStep: {} }, 'onStep: expected a function, got {}'],
])('%#: %s is refused', (value, message) => {
  expect(() => parse(value)).toThrow(message)
  expect(() => parse(value)).toThrow(SettingError)
})

test('an error carries the setting, and the problem without it', () => {
  try {
    parse({ steps: 1, deep: { names: [7] } })
    expect.unreachable()
  } catch (error) {
    expect(error).toMatchObject({ setting: 'deep.names.0', problem: 'expected a text, got 7' })
  }
})

test.each([
  [{}, 'a number'],
  [{ from: 0 }, 'a number of at least 0'],
  [{ above: 0 }, 'a number above 0'],
  [{ to: 5 }, 'a number at most 5'],
  [{ from: 2, to: 100_000 }, 'a number from 2 to 100,000'],
  [{ from: 0, below: 1 }, 'a number of at least 0 and below 1'],
  [{ above: 0, to: 0.5 }, 'a number above 0 and at most 0.5'],
])('%j reads as %s', (range, words) => {
  expect(numberIn(false, range)).toBe(words)
})

describe('a value is shown as short as can be', () => {
  class Photo {}
  test.each<[unknown, string]>([
    ['x'.repeat(100), `'${'x'.repeat(60)}…'`],
    [-0.5, '-0.5'],
    [undefined, 'undefined'],
    [Symbol('x'), 'a symbol'],
    [function load() {}, 'the function load'],
    [() => {}, 'a function'],
    [new Float32Array(3), 'Float32Array of 3'],
    [new DataView(new ArrayBuffer(3)), 'DataView of 3'],
    [new Uint8ClampedArray(1).buffer, 'an ArrayBuffer'],
    [new Photo(), 'a Photo'],
    [Object.create(null), '{}'],
    [{ train: 1, test: 2 }, '{ train, test }'],
    [Array(100), 'a list of 100'],
    [[[1, 2], 'a'], "[[1, 2], 'a']"],
  ])('%s', (value, shown) => {
    expect(describeValue(value)).toBe(shown)
  })
})
