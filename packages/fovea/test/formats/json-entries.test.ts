/** @file The claim that an object that is read entry by entry is what JSON.parse makes of it, and that both refuse the same texts. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FormatError } from '../../src/errors.js'
import { jsonEntries, textOf } from '../../src/formats/json-entries.js'

const utf8 = new TextEncoder()

/** Undefined for what is no object, or no JSON. */
function parsed(text: string): Map<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? new Map(Object.entries(value))
      : undefined
  } catch {
    return undefined
  }
}

function walked(text: string): Map<string, unknown> | 'a key twice' | undefined {
  try {
    const entries = new Map<string, unknown>()
    for (const [key, value] of jsonEntries(utf8.encode(text), 'it')) entries.set(key, JSON.parse(textOf(value, 'it')))
    return entries
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof SyntaxError)) throw error
    return error.message.endsWith('twice') ? 'a key twice' : undefined
  }
}

const object = fc
  .tuple(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue(), { noNullPrototype: true }), fc.nat(2))
  .map(([value, spaces]) => JSON.stringify(value, null, spaces))

test('of any object', () => {
  fc.assert(
    fc.property(object, text => {
      expect(walked(text)).toEqual(parsed(text))
    }),
  )
})

test('of a text in which something was changed', () => {
  const mark = fc.constantFrom(...'{}[]",:\\ 1e-tn\ufeff\u20ac\n')
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(2), mark), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(object, changes, (whole, list) => {
      const changed = list.reduce((text, [at, left, mark]) => {
        const place = at % (text.length + 1)
        return text.slice(0, place) + mark + text.slice(place + left)
      }, whole)
      // Half of a pair of surrogates cannot be written.
      const text = Buffer.from(changed).toString()
      const [expected, found] = [parsed(text), walked(text)]
      if (found !== 'a key twice') expect(found).toEqual(expected)
    }),
    { numRuns: 5000 },
  )
})
