import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { FormatError } from 'fovea'
import { describe, expect, it } from 'vitest'
import { parseIdx } from '../../src/data/idx.js'

const idx = (shape: readonly number[], data: Uint8Array, magic = 0x800 + shape.length): Buffer => {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.writeUInt32BE(magic)
  for (const [i, n] of shape.entries()) header.writeUInt32BE(n, 4 + 4 * i)
  return Buffer.concat([header, data])
}

describe('parseIdx', () => {
  it('reads what was written, gzipped or not', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (shape, zip) => {
          const data = Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i)
          const file = idx(shape, data)
          const parsed = parseIdx('x', zip ? gzipSync(file) : file, shape.length)
          expect(parsed.shape).toEqual(shape)
          expect([...parsed.data]).toEqual([...data])
        },
      ),
    )
  })

  it('answers any bytes with data that fits its shape, or a FormatError', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }).map(bytes => Uint8Array.of(0, 0, 8, 3, ...bytes)),
      fc.uint8Array({ maxLength: 40 }).map(bytes => Uint8Array.of(0x1f, 0x8b, ...bytes)),
      fc.uint8Array({ maxLength: 40 }).map(bytes => gzipSync(Uint8Array.of(0, 0, 8, 3, ...bytes))),
    )
    fc.assert(
      fc.property(hostile, bytes => {
        try {
          const { shape, data } = parseIdx('x', bytes, 3)
          expect(data.length).toBe(shape.reduce((a, b) => a * b, 1))
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError)
        }
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['too short', Uint8Array.of(0, 0), /it has only 2 bytes/],
    ['of another type', idx([1, 1, 1], Uint8Array.of(1), 0x801), /begins with 0x00000801, not 0x00000803/],
    ['cut short', idx([2, 2, 2], new Uint8Array(7)), /2×2×2 need 8 bytes, it has 7/],
    ['of impossible size', idx([2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], new Uint8Array(7)), /it has 7/],
    ['a bomb', gzipSync(new Uint8Array(100_000)), /not an IDX file/],
  ])('refuses a file that is %s', (_, file, message) => {
    expect(() => parseIdx('x.gz', file, 3, 1000)).toThrow(message)
  })
})
