/**
 * @file Files that nobody wrote, for the readers of weights: whole ones, changed by bytes, by words that mean something, by parts
 * that are left out, repeated or taken from others. Each is made from a seed and its number, so that one that is found comes again.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { FormatError } from '../../src/errors.js'
import { type Hdf5Object, isHdf5, openHdf5 } from '../../src/formats/hdf5/hdf5.js'
import { openWeights } from '../../src/formats/registry.js'
import { encodeSafetensors } from '../../src/formats/safetensors.js'
import { randomAt, randomKey, streamOf } from '../../src/random.js'
import { floats, pickle, TestTensor, torchLegacy, torchZip, zipOf } from './torch-file.js'

const utf8 = new TextEncoder()
const fixture = (name: string): Uint8Array => readFileSync(new URL(name, import.meta.url))
const keras = (name: string): Uint8Array => gunzipSync(fixture(`keras/${name}.gz`))
const storage = { dtype: 'int64' as const, bytes: new Uint8Array(64).fill(7) }
const dictionary = new Map<string, unknown>([
  [
    'state_dict',
    new Map<string, unknown>([
      ['w', floats([2, 2], [1, 2, 3, 4])],
      ['n', new TestTensor(storage, [2, 2], [1, 2], 1)],
    ]),
  ],
  ['epoch', 3],
  ['names', ['a', 'ü']],
])
const shard = Buffer.concat(
  encodeSafetensors({
    tensors: new Map([
      ['w', { dtype: 'float32', shape: [2], bytes: new Uint8Array(8) }],
      ['v', { dtype: 'bool', shape: [3], bytes: new Uint8Array(3) }],
    ]),
    metadata: { format: 'pt' },
  }),
)

/** By reader: whole files, and how what is changed of them becomes a file. */
export const readers: Readonly<
  Record<string, { readonly whole: Uint8Array; readonly file: (bytes: Uint8Array) => Uint8Array }>
> = {
  pickle: { whole: pickle(dictionary), file: zipOf },
  zip: { whole: torchZip(dictionary), file: bytes => bytes },
  legacy: { whole: torchLegacy(dictionary), file: bytes => bytes },
  safetensors: { whole: shard, file: bytes => bytes },
  hdf5: { whole: fixture('hdf5/layouts.h5'), file: bytes => bytes },
  'hdf5 of later versions': { whole: fixture('hdf5/layouts-latest.h5'), file: bytes => bytes },
  'hdf5 links': { whole: fixture('hdf5/groups-few.h5'), file: bytes => bytes },
  keras: { whole: keras('small.h5'), file: bytes => bytes },
  'keras, layer by layer': { whole: keras('small.weights.h5'), file: bytes => bytes },
  'keras configuration': {
    whole: fixture('keras/small-config.json'),
    file: bytes => zipSync({ 'config.json': bytes, 'model.weights.h5': keras('small.weights.h5') }, { level: 0 }),
  },
  sharded: { whole: utf8.encode('{"weight_map":{"w":"a.safetensors","v":"a.safetensors"}}'), file: bytes => bytes },
}

/** Of each format some, and numbers at the edges. */
const words: readonly Uint8Array[] = [
  ...[
    'cposix\nsystem\n',
    'ctorch\nFloatStorage\n',
    'ccollections\nOrderedDict\n',
    '(',
    't',
    'R',
    'b',
    'Q',
    '.',
    '}',
    ']',
    'u',
    'e',
  ],
  ...[
    '"F32"',
    '"I64"',
    '[0,8]',
    '"shape":[4611686018427387904]',
    '"__proto__"',
    '-1',
    '1e99',
    'PK\x01\x02',
    'PK\x05\x06',
    '../',
  ],
]
  .map(text => utf8.encode(text))
  .concat(
    [[0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0x80], [0, 0, 0, 0, 0, 0, 0, 0x10], [0x80, 2], [0x8a, 255], [0x8d]].map(
      bytes => Uint8Array.from(bytes),
    ),
  )

/** The changed file of a number. */
export function changedFile(reader: keyof typeof readers, seed: number, number: number): Uint8Array {
  const key = randomKey(seed, streamOf(`${reader}.${number}`))
  let drawn = 0
  const below = (most: number): number => Math.floor(randomAt(key, drawn++) * most)
  const { whole, file } = readers[reader]
  let bytes: Uint8Array = whole
  for (let change = below(6); change >= 0; change--) {
    const at = below(bytes.length + 1)
    const to = Math.min(bytes.length, at + below(24))
    const front = bytes.subarray(0, at)
    const part = bytes.subarray(at, to)
    const word = words[below(words.length)]
    const parts = [
      () => [front, Uint8Array.of(below(256)), bytes.subarray(at + 1)],
      () => [front, word, bytes.subarray(at)],
      () => [front, word, bytes.subarray(at + word.length)],
      () => [front, bytes.subarray(to)],
      () => [front, part, part, bytes.subarray(to)],
      () => [front, bytes.subarray(below(bytes.length), to), bytes.subarray(at)],
      () => [front],
    ][below(7)]()
    bytes = Buffer.concat(parts)
  }
  return below(8) === 0 ? bytes : file(bytes)
}

/** Reads all that a file claims to hold; whatever it is, the answer is tensors within it, or a FormatError. */
export function readAll(file: Uint8Array): void {
  try {
    if (isHdf5(file)) readTree(openOrUndefined(file), file.length)
    const { tensors } = openWeights('fuzzed', file, () => shard)
    for (const { bytes } of tensors.values()) {
      if (bytes.length > file.length + shard.length)
        throw new Error(`a tensor of ${bytes.length} bytes in a file of ${file.length}`)
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    // One line, whatever names the file has.
    if (!/^'fuzzed' [^\p{Cc}]{1,1000}$/u.test(error.message)) throw error
  }
}

/** The tree, whatever Keras would make of it; a FormatError is said again by the reader of Keras's files. */
function openOrUndefined(file: Uint8Array): Hdf5Object | undefined {
  try {
    return openHdf5(file)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return undefined
  }
}

function readTree(object: Hdf5Object | undefined, length: number): void {
  if (object === undefined) return
  for (const child of object.children?.values() ?? []) readTree(child, length)
  try {
    object.texts()
    if (object.children === undefined && object.tensor().bytes.length > length + (128 << 20))
      throw new Error(`a tensor larger than it may be in a file of ${length} bytes`)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
  }
}
