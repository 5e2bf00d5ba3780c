/**
 * @file The claim that no file of weights takes more memory than twice its size and 200 MB, whatever it claims: each of the worst is
 * read in a process of its own, beside one that reads nothing.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { afterAll, expect, test } from 'vitest'
import { torchLegacy, zipOf } from './torch-file.js'

const folder = mkdtempSync(join(tmpdir(), 'fovea-memory-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Compiled: what a process loads is part of what it takes. */
const formats = new URL('../../dist/formats/', import.meta.url).href
const reader = join(folder, 'read.mjs')
writeFileSync(
  reader,
  `import { readFileSync } from 'node:fs'
import { openSource } from '${formats}registry.js'
const [, , file] = process.argv
if (file) {
  const bytes = readFileSync(file)
  try {
    const { weights, graph } = openSource('a', bytes, () => bytes)
    graph?.read()
    for (const { bytes: read } of weights?.tensors.values() ?? []) read.length
    process.exitCode = 3
  } catch (error) {
    if (error.name !== 'FormatError') throw error
  }
}
console.log(/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1])
`,
)

/** What a process takes at most that reads a file. */
async function peakBytes(...files: readonly string[]): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [reader, ...files])
  return 1024 * Number(stdout)
}

const utf8 = new TextEncoder()
const repeated = (part: Uint8Array | string, count: number): Uint8Array => {
  const bytes = typeof part === 'string' ? utf8.encode(part) : part
  const whole = new Uint8Array(count * bytes.length)
  for (let i = 0; i < count; i++) whole.set(bytes, i * bytes.length)
  return whole
}
/** The same part again and again, with its number at a place in it: 7 bits in each of four bytes. */
const counted = (part: string, count: number, place: number): Uint8Array => {
  const whole = repeated(part, count)
  for (let i = 0; i < count; i++) {
    for (let byte = 0; byte < 4; byte++) whole[i * part.length + place + byte] = (i >> (7 * byte)) & 127
  }
  return whole
}
const start = Uint8Array.of(0x80, 2)
/** In the zip layout. */
const zipped = (steps: Uint8Array): Uint8Array => zipOf(Buffer.concat([start, steps]))
const legacy = torchLegacy(new Map())
const safetensors = (header: Uint8Array): Uint8Array =>
  Buffer.concat([new Uint8Array(BigUint64Array.of(BigInt(header.length)).buffer), header])
/** As much JSON as is read. */
const json = (before: string, part: string, after: string): Uint8Array => {
  const count = Math.floor(((10 << 20) - before.length - after.length) / part.length)
  return Buffer.concat([utf8.encode(before), repeated(part, count), utf8.encode(after)])
}
const int32Of = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)]
const bytesOf = (value: number): number[] => [...new Uint8Array(BigUint64Array.of(BigInt(value)).buffer)]
/** Where a global heap follows 60,000 bytes of messages. */
const heapAt = 112 + 60_000
/** A file whose root has these messages, in an object header of version 1. */
const hdf5 = (messages: Uint8Array): Uint8Array => {
  const start = [0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10, 0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0]
  const superblock = [
    ...start,
    ...bytesOf(0),
    ...bytesOf(2 ** 53),
    ...bytesOf(112 + messages.length),
    ...bytesOf(2 ** 53),
  ]
  const root = [...bytesOf(0), ...bytesOf(96), ...bytesOf(0), ...bytesOf(0), ...bytesOf(0)]
  const header = [1, 0, 1, 0, 1, 0, 0, 0, ...int32Of(messages.length), 0, 0, 0, 0]
  return Buffer.concat([Uint8Array.from([...superblock, ...root, ...header]), messages])
}
const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(Math.floor(n / 128))])
const field = (number: number, bytes: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.of((number << 3) | 2), Uint8Array.from(varint(bytes.length)), bytes])
/** ONNX's version, and its graph. */
const onnx = (graph: Uint8Array): Uint8Array => Buffer.concat([Uint8Array.of(8, 8), field(7, graph)])
const large = 16 << 20

const files: Readonly<Record<string, () => Uint8Array>> = {
  'pickle: lists': () => zipped(repeated(']', 2_000_000)),
  'pickle: dictionaries': () => zipped(repeated('}', 2_000_000)),
  'pickle: numbers': () => zipped(repeated('G\x00\x00\x00\x00\x00\x00\x00\x01', 2_000_000)),
  'pickle: texts': () => zipped(counted('X\x04\0\0\0....', 1_900_000, 5)),
  'pickle: what is kept': () => zipped(Buffer.concat([utf8.encode('N'), counted('r....', 1_900_000, 1)])),
  'pickle: marks': () => zipped(repeated('(', 2_000_000)),
  'zip: a pickle of 256 MB of zeros': () => zipSync({ 'archive/data.pkl': new Uint8Array(1 << 28) }, { level: 9 }),
  'legacy: dictionaries': () => Buffer.concat([legacy.subarray(0, legacy.length - 1), repeated('}', 2_000_000)]),
  'safetensors: objects': () => safetensors(json('{"a":[{}', ',{}', ']}')),
  'safetensors: lists': () => safetensors(json('{"a":[[]', ',[]', ']}')),
  'safetensors: names': () => safetensors(utf8.encode(`{${Array.from({ length: 900_000 }, (_, i) => `"a${i}":0`)}}`)),
  'safetensors: texts': () => safetensors(json('{"a":["b"', ',"cd"', ']}')),
  'safetensors: numbers': () => safetensors(json('{"a":[1', ',0.5', ']}')),
  'safetensors: metadata of objects': () => safetensors(json('{"__metadata__":{"a":[{}', ',{}', ']}}')),
  'safetensors: metadata of texts': () => safetensors(json('{"__metadata__":{"a":["b"', ',"cd"', ']}}')),
  'safetensors: metadata of numbers': () => safetensors(json('{"__metadata__":{"a":[1', ',0.5', ']}}')),
  'safetensors: 100 MB of names that are no Latin letters': () => {
    const name = (i: number): string => `"${'\u20ac'.repeat(640)}${i}"`
    const entry = (i: number): string => `${name(i)}:{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`
    return safetensors(utf8.encode(`{${Array.from({ length: 50_000 }, (_, i) => entry(i))},"last":{}}`))
  },
  'safetensors: depth': () => safetensors(json('{"a":', '[', '')),
  'several files: objects': () => json('{"weight_map":{"a":"b"},"c":[{}', ',{}', ']}'),
  'HDF5: messages without contents': () => hdf5(repeated(Uint8Array.of(12, 0, 0, 0, 0, 0, 0, 0), large / 8)),
  'HDF5: links': () => hdf5(counted('\x06\0\x10\0\0\0\0\0\x01\0\x04....\0\0\0\0\0', 700_000, 11)),
  'HDF5: attributes that are one long text': () => {
    // A type of texts of any length, in one axis of 3,000, each of them the same of 10 MB in a global heap.
    const type = [0x19, 1, 0, 0, 16, 0, 0, 0]
    const space = [1, 1, 0, 0, 0, 0, 0, 0, ...bytesOf(3000)]
    const parts = [3, 0, 2, 0, type.length, 0, space.length, 0, 0, 0x61, 0, ...type, ...space]
    const texts = repeated(Uint8Array.of(...int32Of(10 << 20), ...bytesOf(heapAt), ...int32Of(1)), 3000)
    const size = parts.length + texts.length
    const header = Uint8Array.of(12, 0, size & 255, size >> 8, 0, 0, 0, 0, ...parts)
    const messages = Buffer.concat([header, texts, Buffer.alloc(heapAt - 112 - header.length - texts.length)])
    const heap = [
      ...utf8.encode('GCOL'),
      1,
      0,
      0,
      0,
      ...bytesOf((10 << 20) + 32),
      1,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      ...bytesOf(10 << 20),
    ]
    return hdf5(Buffer.concat([messages, Uint8Array.from(heap), Buffer.alloc(10 << 20, 'a')]))
  },
  'HDF5: 160 MB of zeros, compressed': () => gunzipSync(readFileSync(new URL('hdf5/bomb.h5.gz', import.meta.url))),
  'ONNX: empty nodes': () => onnx(repeated(Uint8Array.of(0x0a, 0), large / 2)),
  'ONNX: empty tensors': () => onnx(repeated(Uint8Array.of(0x2a, 0), large / 2)),
  'ONNX: a long list of numbers': () => onnx(field(1, field(5, field(8, new Uint8Array(large))))),
  'ONNX: numbers of one byte': () =>
    onnx(field(5, Buffer.concat([Uint8Array.of(8, 1, 16, 6), field(5, new Uint8Array(large))]))),
  'ONNX: a name without end': () => onnx(field(1, field(4, repeated('a', large)))),
}

const own = peakBytes()

test.skipIf(process.platform !== 'linux').concurrent.each(Object.entries(files))('%s', async (what, make) => {
  const bytes = make()
  const file = join(folder, what.replaceAll(/\W+/g, '-'))
  writeFileSync(file, bytes)
  expect((await peakBytes(file)) - (await own)).toBeLessThan(2 * bytes.length + 200 * 2 ** 20)
})
