/** @file Claims about safetensors: what is written is read back; anything else is refused before memory is taken for it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormatError } from '../../src/errors.js'
import { decodeSafetensors, encodeSafetensors } from '../../src/formats/safetensors.js'
import { numbersOf } from '../../src/formats/stored-numbers.js'
import type { StoredTensor } from '../../src/formats/weight-source.js'
import { dtypes, tensorBytes } from '../../src/graph/types.js'

const join = (chunks: readonly Uint8Array[]): Uint8Array => Uint8Array.from(chunks.flatMap(chunk => [...chunk]))

/** A file with this header (a value, or a text that need not be JSON) and so many bytes of data. */
function file(header: unknown, dataBytes: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + text.length + dataBytes)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  return bytes
}

const tensor = (): fc.Arbitrary<StoredTensor> =>
  fc
    .record({ dtype: fc.constantFrom(...dtypes), shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }) })
    .map(type => ({ ...type, bytes: new Uint8Array(tensorBytes(type)).map((_, i) => i * 7) }))

const name = fc.string({ minLength: 1, maxLength: 12 }).filter(text => !['__proto__', '__metadata__'].includes(text))

test('what is written is read back: names, types, shapes, bytes, metadata', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, tensor()), { maxLength: 6 }),
      fc.dictionary(name, fc.string(), { maxKeys: 3, noNullPrototype: true }),
      (list, metadata) => {
        const tensors = new Map(list)
        const bytes = join(encodeSafetensors({ tensors, metadata }))
        const read = decodeSafetensors('x', bytes)
        expect(read.metadata).toEqual(metadata)
        expect([...read.tensors.keys()].sort()).toEqual([...tensors.keys()].sort())
        for (const [key, { dtype, shape, bytes }] of tensors) {
          expect(read.tensors.get(key)).toMatchObject({ dtype, shape })
          expect([...read.tensors.get(key)!.bytes]).toEqual([...bytes])
        }
        expect((bytes.length - [...tensors.values()].reduce((sum, t) => sum + t.bytes.length, 0)) % 8).toBe(0)
      },
    ),
  )
})

test('no part of a file, and no file with a byte too many, is taken for the whole', () => {
  const bytes = new Uint8Array(24).fill(1)
  const whole = join(
    encodeSafetensors({ tensors: new Map([['w', { dtype: 'float32', shape: [2, 3], bytes }]]), metadata: {} }),
  )
  decodeSafetensors('x', whole)
  for (let length = 0; length < whole.length; length++) {
    expect(() => decodeSafetensors('x', whole.subarray(0, length)), `${length} bytes`).toThrow(FormatError)
  }
  expect(() => decodeSafetensors('x', Uint8Array.of(...whole, 0))).toThrow('it was cut short or added to')
})

test('whatever the bytes, the answer is tensors or a FormatError', () => {
  const valid = join(
    encodeSafetensors({
      tensors: new Map([['weight', { dtype: 'int8', shape: [3], bytes: Uint8Array.of(1, 2, 3) }]]),
      metadata: { key: 'text' },
    }),
  )
  const mutated = fc
    .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map(changes => {
      const bytes = valid.slice()
      for (const [at, value] of changes) bytes[at] = value
      return bytes
    })
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 64 })), bytes => {
      try {
        decodeSafetensors('x', bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError)
      }
    }),
    { numRuns: 2000 },
  )
})

test('tensors of types that no model has are there, and no others suffer from them', () => {
  const entry = (dtype: string, start: number, end: number) => ({ dtype, shape: [2], data_offsets: [start, end] })
  const types = { a: entry('F8_E4M3', 0, 2), b: entry('F8_E5M2', 2, 4), c: entry('U16', 4, 8), d: entry('U32', 8, 16) }
  const bytes = file({ ...types, e: entry('U64', 16, 32), w: entry('F32', 32, 40) }, 40)
  const { tensors } = decodeSafetensors('x', bytes)
  expect([...tensors.values()].map(({ dtype }) => dtype)).toEqual([
    ...['float8_e4m3', 'float8_e5m2', 'uint16', 'uint32', 'uint64', 'float32'],
  ])
  const type = { shape: [2], dtype: 'float32' } as const
  expect(numbersOf('w', tensors.get('w')!, type)).toEqual(new Float32Array(2))
  expect(() => numbersOf('a', tensors.get('a')!, type)).toThrow("'a' is float8_e4m3, the model's is float32")
})

test('the header is walked as JSON has it: spaces anywhere, letters by their numbers, brackets in texts', () => {
  const entry = '{ "dtype" : "F32",\n"shape":[ ] , "data_offsets":[0,4]}'
  const header = `{\t"__metadata__" : {"}\\"," : "{[\\\\"} ,\r\n "\\u0077,\\"}":${entry} }      `
  const { tensors, metadata } = decodeSafetensors('x', file(header, 4))
  expect([...tensors].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([['w,"}', 'float32', []]])
  expect(metadata).toEqual({ '}",': '{[\\' })
  expect(decodeSafetensors('x', file('{ }', 0)).tensors.size).toBe(0)
})

test('a header longer than 10 MiB is read, up to the 100 MB that the format allows', () => {
  const header = `{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}${' '.repeat(11 << 20)}}`
  expect(decodeSafetensors('x', file(header, 4)).tensors.get('w')!.shape).toEqual([1])
  const claims = new Uint8Array(BigUint64Array.of(100_000_001n).buffer)
  expect(() => decodeSafetensors('x', claims)).toThrow('its header claims 100000001 bytes, at most 100000000 are read')
})

describe('refused', () => {
  const entry = '{"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}'
  const F32 = (shape: unknown, data_offsets: unknown) => ({ dtype: 'F32', shape, data_offsets })
  test.each([
    ['a header longer than the file', new Uint8Array(16).fill(1), 'its header claims'],
    ['a header that is no JSON', file('{no', 0), 'its header is not JSON'],
    ['a header that is no object', file('[]', 0), 'its header is no JSON object'],
    ['an unknown type', file({ w: { dtype: 'C64', shape: [1], data_offsets: [0, 8] } }, 8), 'the type C64'],
    ['a shape beyond the bytes', file({ w: F32([1 << 20, 1 << 20], [0, 4]) }, 4), 'does not take 4 bytes'],
    ['a shape whose product overflows', file({ w: F32([2 ** 40, 2 ** 40], [0, 4]) }, 4), 'does not take 4 bytes'],
    ['a negative size', file({ w: F32([-1], [0, 4]) }, 4), 'whole number'],
    ['tensors that overlap', file({ a: F32([1], [0, 4]), b: F32([2], [0, 8]) }, 8), 'expected 4'],
    ['a gap between tensors', file({ a: F32([1], [4, 8]) }, 8), 'begins at 4, expected 0'],
    ['offsets beyond the file', file({ a: F32([2], [0, 8]) }, 4), 'its tensors need 8 bytes, it has 4'],
    ['a key that reaches the prototype', file('{"__proto__": {"dtype": "F32"}}', 0), '__proto__'],
    ['a tensor that is there twice', file(`{"w": ${entry}, "v": ${entry}, "w": ${entry}}`, 4), "has the key 'w' twice"],
    ['the same, in other letters', file(`{"w": ${entry}, "\\u0077": ${entry}}`, 4), "has the key 'w' twice"],
    ['metadata that are there twice', file('{"__metadata__": {}, "__metadata__": {}}', 0), "'__metadata__' twice"],
    ['a text of the metadata that is', file('{"__metadata__": {"a": "", "a": ""}}', 0), "has the key 'a' twice"],
    ['offsets that are', file(`{"w": {"data_offsets": [0, 4], ${entry.slice(1)}}`, 4), "'data_offsets' twice"],
    ['a comma too many', file(`{"w": ${entry},}`, 4), 'its header is not JSON'],
    ['a comma too few', file(`{"w": ${entry} "v": ${entry}}`, 4), 'its header is not JSON'],
    ['a key without quotes', file(`{w: ${entry}}`, 4), 'its header is not JSON'],
    ['a value that is missing', file('{"w": , "v": 1}', 4), 'its header is not JSON'],
    ['a byte order mark before a value', file(`{"w": \ufeff${entry}}`, 4), 'its header is not JSON'],
    ['something behind the object', file(`{"w": ${entry}} {}`, 4), 'its header is not JSON'],
    ['an object that does not end', file(`{"w": ${entry}`, 4), 'its header is not JSON'],
    ['a name that does not end', file('{"w: {}', 4), 'its header is not JSON'],
    ['a name of 6,000 letters', file(`{"${'w'.repeat(6000)}": ${entry}}`, 4), 'a key of 6002 bytes'],
    ['a description without end', file(`{"w": [${'1,'.repeat(40_000)}1]}`, 4), 'is described by 80003 bytes'],
    ['metadata without end', file({ __metadata__: { a: 'b'.repeat(11 << 20) } }, 0), 'at most 10485760 are read'],
    ['letters that are none', file('{"\u00e9": 1}', 0).map(byte => (byte === 0xc3 ? 0xff : byte)), 'not UTF-8'],
    ['metadata that are no texts', file({ __metadata__: { key: 1 } }, 0), '__metadata__.key must be a text'],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeSafetensors('file.safetensors', bytes)).toThrow(message)
    expect(() => decodeSafetensors('file.safetensors', bytes)).toThrow(
      "'file.safetensors' cannot be read as a safetensors file",
    )
  })
})
