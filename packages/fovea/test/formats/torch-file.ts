/** @file Writes files as PyTorch does, in both layouts, by a pickler of a few opcodes: what the tests of its reader read. */
import { type Zippable, zipSync } from 'fflate'
import { type StoredType, storedElementBytes } from '../../src/formats/weight-source.js'
import { elements } from '../../src/graph/types.js'

/** A storage, shared by those tensors that have the same. */
export interface TestStorage {
  readonly dtype: StoredType
  readonly bytes: Uint8Array
}

/** A strided view, in elements. */
export class TestTensor {
  constructor(
    readonly storage: TestStorage,
    readonly shape: readonly number[],
    readonly stride: readonly number[] = denseStride(shape),
    readonly offset = 0,
    readonly parameter = false,
  ) {}
}

const denseStride = (shape: readonly number[]): number[] => shape.map((_, axis) => elements(shape.slice(axis + 1)))

/** A dense tensor of float32. */
export const floats = (shape: readonly number[], values: ArrayLike<number>): TestTensor =>
  new TestTensor({ dtype: 'float32', bytes: new Uint8Array(Float32Array.from(values).buffer) }, shape)

/** A tuple, where an array is a list. */
export class Tuple {
  constructor(readonly values: readonly unknown[]) {}
}

/** Calls a global of Python with values. */
export class Call {
  constructor(
    readonly name: string,
    readonly values: readonly unknown[],
  ) {}
}

/** A class or function by its path. */
export class Global {
  constructor(readonly path: string) {}
}

const storageNames: Partial<Record<StoredType, string>> = {
  ...{ float64: 'Double', float32: 'Float', float16: 'Half', bfloat16: 'BFloat16', int64: 'Long', int32: 'Int' },
  ...{ int16: 'Short', int8: 'Char', uint8: 'Byte', bool: 'Bool' },
}

/** What PyTorch has a storage for. */
export const storageTypes = Object.keys(storageNames) as StoredType[]

const utf8 = new TextEncoder()
const ascii = (text: string): number[] => [...utf8.encode(text)]
const int32 = (value: number): number[] => [...new Uint8Array(Int32Array.of(value).buffer)]
const int64 = (value: number): number[] => [...new Uint8Array(BigInt64Array.of(BigInt(value)).buffer)]

/** The bytes of a value in protocol 2, and the storages that it refers to, in order. */
export function pickle(value: unknown, storages = new Map<TestStorage, string>()): Uint8Array {
  const bytes: number[] = [0x80, 2]
  const add = (...more: readonly (string | readonly number[])[]): void => {
    for (const part of more) bytes.push(...(typeof part === 'string' ? ascii(part) : part))
  }
  const put = (value: unknown): void => {
    if (value === null) add('N')
    else if (typeof value === 'boolean') add([value ? 0x88 : 0x89])
    else if (typeof value === 'number' && Number.isInteger(value)) {
      if (value >= -(2 ** 31) && value < 2 ** 31) add('J', int32(value))
      else add([0x8a, 8], int64(value))
    } else if (typeof value === 'number') add('G', [...new Uint8Array(Float64Array.of(value).buffer)].reverse())
    else if (typeof value === 'bigint') add([0x8a, 10], [...bytesOf(value, 10)])
    else if (typeof value === 'string') add('X', int32(utf8.encode(value).length), ascii(value))
    else if (Array.isArray(value)) {
      add('](')
      for (const entry of value) put(entry)
      add('e')
    } else if (value instanceof Tuple) {
      add('(')
      for (const entry of value.values) put(entry)
      add('t')
    } else if (value instanceof Map) {
      // As an OrderedDict, with the attribute that a state_dict has.
      put(new Call('collections.OrderedDict', []))
      add('(')
      for (const [key, entry] of value) {
        put(key)
        put(entry)
      }
      add('u}')
      put('_metadata')
      add('}s', 'b')
    } else if (value instanceof Global) add('c', value.path.replace(/\.(?=[^.]*$)/, '\n'), '\n')
    else if (value instanceof Call) {
      put(new Global(value.name))
      put(new Tuple(value.values))
      add('R')
    } else if (value instanceof TestTensor) putTensor(value)
    else throw new Error('no such value is written')
  }
  const putTensor = ({ storage, shape, stride, offset, parameter }: TestTensor): void => {
    const key = storages.get(storage) ?? String(storages.size)
    storages.set(storage, key)
    const rebuild = parameter ? 'torch._utils._rebuild_parameter' : undefined
    if (rebuild) add('c', rebuild.replace(/\.(?=[^.]*$)/, '\n'), '\n(')
    add('ctorch._utils\n_rebuild_tensor_v2\n(')
    const length = storage.bytes.length / storedElementBytes(storage.dtype)
    put(
      new Tuple(['storage', new Global(`torch.${storageNames[storage.dtype]}Storage`), key, 'cpu', length, ...legacy]),
    )
    add('Q')
    for (const entry of [offset, new Tuple(shape), new Tuple(stride), false]) put(entry)
    put(new Call('collections.OrderedDict', []))
    add('tR')
    if (rebuild) {
      put(true)
      put(new Call('collections.OrderedDict', []))
      add('tR')
    }
  }
  const legacy = storages instanceof LegacyStorages ? [null] : []
  put(value)
  add('.')
  return Uint8Array.from(bytes)
}

/** In the legacy layout a reference to a storage also says which part of it. */
class LegacyStorages extends Map<TestStorage, string> {}

function bytesOf(value: bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))
}

/** The zip layout. @param change of the entries before they are packed */
export function torchZip(
  value: unknown,
  change: (entries: Record<string, Uint8Array>) => Zippable = entries => entries,
): Uint8Array {
  const storages = new Map<TestStorage, string>()
  const main = pickle(value, storages)
  const entries: Record<string, Uint8Array> = {
    'archive/data.pkl': main,
    'archive/byteorder': utf8.encode('little'),
    'archive/version': utf8.encode('3\n'),
  }
  for (const [{ bytes }, key] of storages) entries[`archive/data/${key}`] = bytes
  return zipSync(change(entries), { level: 0 })
}

/** The layout before 1.6. */
export function torchLegacy(value: unknown): Uint8Array {
  const storages = new LegacyStorages()
  const root = pickle(value, storages)
  const system = pickle(
    new Map<string, unknown>([
      ['protocol_version', 1001],
      ['little_endian', true],
    ]),
  )
  const front = [pickle(0x1950a86a20f9469cfc6cn), pickle(1001), system, root, pickle([...storages.values()])]
  const data = [...storages.keys()].flatMap(({ dtype, bytes }) => [
    Uint8Array.from(int64(bytes.length / storedElementBytes(dtype))),
    bytes,
  ])
  return Uint8Array.from([...front, ...data].flatMap(part => [...part]))
}

/** The bytes as `pickletools` would assemble them: texts and numbers of single bytes. */
export const assemble = (...parts: readonly (string | number)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap(part => (typeof part === 'string' ? ascii(part) : [part])))

/** A pickle that stands for the weights of a zip file. */
export const zipOf = (main: Uint8Array): Uint8Array => torchZip(null, () => ({ 'archive/data.pkl': main }))
