/** @file Claims about zip files whose entries are read where they lie. */
import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { FormatError } from '../../src/errors.js'
import { zipEntries } from '../../src/formats/zip.js'

const [first, second] = [Uint8Array.of(1, 2, 3, 4, 5), Uint8Array.of(6, 7)]
const file = zipSync({ 'a/first': first, second: [second, { extra: { 18000: Uint8Array.of(9, 9) } }] }, { level: 0 })
const read = (bytes: Uint8Array): Record<string, number[]> =>
  Object.fromEntries([...zipEntries(bytes, 'nobody does')].map(([name, entry]) => [name, [...entry]]))
const contents = { 'a/first': [...first], second: [...second] }

const u16 = (value: number): number[] => [value & 255, value >> 8]
const u32 = (value: number): number[] => [...u16(value & 0xffff), ...u16(value >>> 16)]
const u64 = (value: number): number[] => [...u32(value), 0, 0, 0, 0]
const signature = (a: number, b: number): number[] => [0x50, 0x4b, a, b]
const letters = (text: string): number[] => [...text].map(letter => letter.charCodeAt(0))

/** A file of one entry whose numbers stand where those of large files do, as Python's zipfile writes it with force_zip64. */
function large(change: { readonly extra?: number[]; readonly end?: number[] } = {}): Uint8Array {
  const name = letters('large')
  const local = [...signature(3, 4), ...u16(45), ...u16(0), ...u16(0), ...u32(0), ...u32(0)]
  local.push(...u32(0xffffffff), ...u32(0xffffffff), ...u16(name.length), ...u16(0), ...name, ...first)
  const extra = change.extra ?? [...u16(0x4650), ...u16(1), 7, ...u16(1), ...u16(24), ...[5, 5, 0].flatMap(u64)]
  const listed = [...signature(1, 2), ...u16(45), ...u16(45), ...u16(0), ...u16(0), ...u32(0), ...u32(0)]
  listed.push(...u32(0xffffffff), ...u32(0xffffffff), ...u16(name.length), ...u16(extra.length), ...u16(0))
  listed.push(...u16(0), ...u16(0), ...u32(0), ...u32(0xffffffff), ...name, ...extra)
  const endAt = local.length + listed.length
  const end = [...signature(6, 6), ...u64(44), ...u16(45), ...u16(45), ...u32(0), ...u32(0), ...u64(1), ...u64(1)]
  end.push(...u64(listed.length), ...u64(local.length))
  const place = change.end ?? [...signature(6, 7), ...u32(0), ...u64(endAt), ...u32(1)]
  const last = [...signature(5, 6), ...u16(0), ...u16(0), ...u16(0xffff), ...u16(0xffff)]
  return Uint8Array.from([...local, ...listed, ...end, ...place, ...last, ...u32(0xffffffff), ...u32(0xffffffff), 0, 0])
}

test('entries are views of the file, wherever it lies in memory', () => {
  expect(read(file)).toEqual(contents)
  const shifted = new Uint8Array(file.length + 3)
  shifted.set(file, 3)
  const entries = zipEntries(shifted.subarray(3), 'nobody does')
  expect(Object.fromEntries([...entries].map(([name, entry]) => [name, [...entry]]))).toEqual(contents)
  for (const entry of entries.values()) expect(entry.buffer).toBe(shifted.buffer)
})

test('a comment at the end, even one that looks like an end, is no part of the list', () => {
  const commented = (comment: number[]): Uint8Array =>
    Uint8Array.from([...file.subarray(0, -2), ...u16(comment.length), ...comment])
  expect(read(commented(letters('saved on a Monday')))).toEqual(contents)
  expect(read(commented(signature(5, 6)))).toEqual(contents)
})

test('numbers of large files are read', () => expect(read(large())).toEqual({ large: [...first] }))

describe('a damaged list is refused', () => {
  const noNumbers = large({ extra: [...u16(0x4650), ...u16(1), 7] })
  const fewNumbers = large({ extra: [...u16(1), ...u16(8), ...u64(5)] })
  const noEnd = large({ end: [...signature(6, 7), ...u32(0), ...u64(2 ** 31), ...u32(1)] })
  const damaged = /^its list of entries, with which a zip file ends, is missing or damaged/
  test.each([
    ['no large numbers', noNumbers],
    ['too few of them', fewNumbers],
    ['an end beyond the file', noEnd],
    ['nothing but an end', file.subarray(-21)],
  ])('%s', (_, bytes) => expect(() => read(bytes)).toThrow(damaged))

  test('so is an entry that lies beyond the file', () => {
    const far = large({ extra: [...u16(1), ...u16(24), ...[5, 5, 4096].flatMap(u64)] })
    expect(() => read(far)).toThrow("its entry 'large' should have 5 bytes at byte 4096")
    const long = large({ extra: [...u16(1), ...u16(24), ...[2 ** 31, 2 ** 31, 0].flatMap(u64)] })
    expect(() => read(long)).toThrow(/its entries claim 2147483648 bytes, the file has \d+/)
  })

  test('a byte changed or cut off anywhere gives entries within the file, or a FormatError', () => {
    for (const whole of [file, large()]) {
      for (let at = 0; at < whole.length; at++) {
        const changed = Uint8Array.from(whole)
        changed[at] ^= 0xff
        for (const bytes of [changed, whole.subarray(0, at)]) {
          try {
            for (const entry of zipEntries(bytes, 'nobody does').values()) expect(entry.buffer).toBe(bytes.buffer)
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError)
          }
        }
      }
    }
  })
})
