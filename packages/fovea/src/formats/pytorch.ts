/**
 * @file PyTorch's files (`.pt`, `.pth`, `.th`, `.bin`), in both layouts: the zip file of 1.6 and later, with the pickle and each
 * storage as an entry, and the one before, with storages after five pickles.
 */
import { FormatError } from '../errors.js'
import type { ModelFormat } from './model-source.js'
import { readPickle } from './pickle.js'
import { stateDictOf } from './state-dict.js'
import { type Storage, torchHost } from './torch-tensors.js'
import { type StoredType, shownName, storedElementBytes, type WeightSource } from './weight-source.js'
import { zipEntries } from './zip.js'

const startsWith = (file: Uint8Array, bytes: readonly number[], at = 0): boolean =>
  bytes.every((byte, i) => file[at + i] === byte)

/** A format whose errors name the file and say what it is not. */
const torchFormat = (
  matches: ModelFormat['matches'],
  read: (file: Uint8Array) => Pick<WeightSource, 'tensors' | 'notes'>,
): ModelFormat => ({
  matches,
  open(name, file) {
    try {
      return { weights: { name, format: 'a PyTorch file', ...read(file) } }
    } catch (error) {
      throw error instanceof FormatError
        ? new FormatError(`'${name}' cannot be read as a PyTorch file: ${error.message}`)
        : error
    }
  },
})

function readZip(file: Uint8Array): Pick<WeightSource, 'tensors' | 'notes'> {
  const entries = zipEntries(file, 'PyTorch does not do: save it again with torch.save', name => {
    if (!/^[^/]*\/code\//.test(name)) return
    throw new FormatError(
      'it holds a TorchScript program: save the weights alone, with torch.save(model.state_dict(), …)',
    )
  })
  const [main, ...more] = [...entries.keys()].filter(name => /^([^/]*\/)?data\.pkl$/.test(name))
  if (main === undefined || more.length > 0) {
    throw new FormatError(
      `it is a zip file with ${main === undefined ? 'no' : 'more than one'} 'data.pkl', which PyTorch's have`,
    )
  }
  const folder = main.slice(0, -'data.pkl'.length)
  const order = entries.get(`${folder}byteorder`)
  if (order !== undefined && new TextDecoder().decode(order) !== 'little')
    throw new FormatError('its bytes are big-endian')
  const host = torchHost((key, dtype, length) => {
    const bytes = entries.get(`${folder}data/${key}`)
    const expected = length * storedElementBytes(dtype)
    if (bytes?.length !== expected) {
      const found = bytes === undefined ? 'is not there' : `has ${bytes.length}`
      throw new FormatError(
        `the entry '${shownName(`${folder}data/${key}`)}' should have ${expected} bytes, it ${found}`,
      )
    }
    return { dtype, length, bytes: () => bytes }
  })
  return stateDictOf(inPickle(main, () => readPickle(entries.get(main)!, 0, host).value))
}

/** What goes wrong in a pickle says in which. */
function inPickle<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof FormatError ? new FormatError(`${shownName(name)}, ${error.message}`) : error
  }
}

/** LONG1 of ten bytes: 0x1950a86a20f9469cfc6c. */
const MAGIC = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
const LEGACY_VERSION = 1001
const LENGTH_BYTES = 8

function readLegacy(file: Uint8Array): Pick<WeightSource, 'tensors' | 'notes'> {
  const declared = new Map<string, { readonly dtype: StoredType; readonly length: number }>()
  const places = new Map<string, Uint8Array>()
  const host = torchHost((key, dtype, length): Storage => {
    const before = declared.get(key)
    if (before !== undefined && (before.dtype !== dtype || before.length !== length)) {
      throw new FormatError(`storage '${shownName(key)}' is described twice, in different ways`)
    }
    if (length * storedElementBytes(dtype) > file.length) {
      throw new FormatError(`storage '${shownName(key)}' claims ${length} numbers, the file has ${file.length} bytes`)
    }
    declared.set(key, { dtype, length })
    return { dtype, length, bytes: () => places.get(key)! }
  })
  let at = 0
  const next = (what: string): unknown => {
    const { value, end } = inPickle(what, () => readPickle(file, at, host))
    at = end
    return value
  }
  next('its magic number')
  const version = next('its version')
  if (version !== LEGACY_VERSION) throw new FormatError(`its version is not ${LEGACY_VERSION}`)
  const system = next('its system')
  if (!(system instanceof Map) || system.get('little_endian') !== true)
    throw new FormatError('its bytes are big-endian')
  const root = next('its pickle')
  const keys = next('its list of storages')
  if (!Array.isArray(keys)) throw new FormatError('its list of storages is none')
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  for (const key of keys) {
    const storage = typeof key === 'string' ? declared.get(key) : undefined
    if (storage === undefined) throw new FormatError('its list of storages has one that no tensor has')
    const left = file.length - at - LENGTH_BYTES
    const bytes = storage.length * storedElementBytes(storage.dtype)
    if (left < bytes)
      throw new FormatError(`storage '${shownName(key)}' should have ${bytes} bytes, ${Math.max(0, left)} are left`)
    if (view.getBigUint64(at, true) !== BigInt(storage.length)) {
      throw new FormatError(
        `storage '${shownName(key)}' has ${view.getBigUint64(at, true)} numbers, its tensors say ${storage.length}`,
      )
    }
    at += LENGTH_BYTES
    places.set(key, file.subarray(at, at + bytes))
    at += bytes
  }
  const lost = [...declared.keys()].find(key => !places.has(key))
  if (lost !== undefined) throw new FormatError(`storage '${shownName(lost)}' is not there`)
  return stateDictOf(root)
}

/** A zip file. */
export const pytorchZip = torchFormat(file => startsWith(file, [0x50, 0x4b, 0x03, 0x04]), readZip)

/** A sequence of pickles that begins with a magic number. */
export const pytorchLegacy = torchFormat(file => file[0] === 0x80 && startsWith(file, MAGIC, 2), readLegacy)
