/**
 * @file Safetensors (https://github.com/huggingface/safetensors): a JSON header with names, types, shapes and places, then
 * the tensors' bytes. Everything in a file from outside is checked before memory is taken for it.
 */
import { FormatError } from '../errors.js'
import { elements } from '../graph/types.js'
import { isRecord, typeOf } from '../settings/describe.js'
import { checkArguments, group, type Rows } from '../settings/group.js'
import { choice, list, text, thing, typedArray, whole } from '../settings/kinds.js'
import { within } from '../settings/setting.js'
import { asArray, asRecord, asString, asWhole, parseJson } from './json.js'
import { jsonEntries, textOf } from './json-entries.js'
import { type StoredTensor, type StoredType, shownName, storedBytes, storedTypes } from './weight-source.js'

/** All that a file holds. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, StoredTensor>
  /** Texts by name. */
  readonly metadata: Readonly<Record<string, string>>
}

const names = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  bool: 'BOOL',
  float8_e4m3: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
} as const satisfies Record<StoredType, string>
const dtypeOf = new Map<unknown, StoredType>(storedTypes.map(dtype => [names[dtype], dtype]))

/** The format's own limit. */
const MAX_HEADER_BYTES = 100_000_000
const MAX_TENSORS = 50_000
/** Of one tensor in the header, whose description has a hundred. */
const MAX_ENTRY_BYTES = 64 << 10
/** A model's description of Fovea has some hundred thousand. */
const MAX_METADATA_BYTES = 10 << 20
const LENGTH_BYTES = 8
const utf8 = new TextEncoder()

const tensorSetting = group('a tensor', {
  dtype: choice('its type', storedTypes),
  shape: list('its sizes', 'sizes', whole('a size', { from: 0 })),
  bytes: typedArray('little-endian, dense', 'Uint8Array'),
} satisfies Rows<StoredTensor>)

const fileSetting = group('what a file holds', {
  tensors: thing(
    'by name',
    'other',
    'a map of tensors by name',
    (value): value is Safetensors['tensors'] => typeOf(value) === 'Map',
  ),
  metadata: thing(
    'texts',
    'other',
    'texts by name',
    (value): value is Safetensors['metadata'] =>
      isRecord(value) && Object.values(value).every(entry => typeof entry === 'string'),
  ),
} satisfies Rows<Safetensors>)

const decodeArguments = {
  name: text("the file's, for messages"),
  file: typedArray('all its bytes', 'Uint8Array'),
}

/**
 * A file as chunks, to be written one after another: no second copy of the tensors is made.
 * @throws FormatError if a tensor's bytes do not fit its shape, or the metadata are longer than is read; SettingError for
 *   what is no tensor
 */
export function encodeSafetensors(file: Safetensors): Uint8Array[] {
  const { tensors, metadata } = fileSetting.parse(file, '')
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {}
  const chunks: Uint8Array[] = []
  let end = 0
  for (const [name, tensor] of tensors) {
    tensorSetting.parse(tensor, within('tensors', name))
    if (tensor.bytes.length !== storedBytes(tensor)) {
      throw new FormatError(`tensor '${name}' has ${tensor.bytes.length} bytes, its shape needs ${storedBytes(tensor)}`)
    }
    const start = end
    end += tensor.bytes.length
    header[name] = { dtype: names[tensor.dtype], shape: tensor.shape, data_offsets: [start, end] }
    chunks.push(tensor.bytes)
  }
  const described = utf8.encode(JSON.stringify(metadata)).length
  if (described > MAX_METADATA_BYTES) {
    throw new FormatError(
      `metadata of ${described} bytes, at most ${MAX_METADATA_BYTES} are read: is there a large constant?`,
    )
  }
  const text = utf8.encode(JSON.stringify(header))
  // The tensors begin at a multiple of 8 bytes; spaces after the JSON are part of the format.
  const padded = Math.ceil(text.length / 8) * 8
  const front = new Uint8Array(LENGTH_BYTES + padded).fill(0x20)
  new DataView(front.buffer).setBigUint64(0, BigInt(padded), true)
  front.set(text, LENGTH_BYTES)
  return [front, ...chunks]
}

/**
 * The tensors of a file; they are views of `file`, not copies.
 * @param name the file's, for messages
 * @throws FormatError if it is anything but a whole safetensors file
 */
export function decodeSafetensors(name: string, file: Uint8Array): Safetensors {
  checkArguments(decodeArguments, { name, file })
  const fail = (why: string): never => {
    throw new FormatError(`'${name}' cannot be read as a safetensors file: ${why}`)
  }
  if (file.length < LENGTH_BYTES) fail(`it has only ${file.length} bytes`)
  const length = new DataView(file.buffer, file.byteOffset, LENGTH_BYTES).getBigUint64(0, true)
  if (length > BigInt(MAX_HEADER_BYTES)) fail(`its header claims ${length} bytes, at most ${MAX_HEADER_BYTES} are read`)
  const dataAt = LENGTH_BYTES + Number(length)
  if (dataAt > file.length) fail(`its header claims ${length} bytes, the file has ${file.length}`)
  try {
    const { entries, metadata } = readHeader(file.subarray(LENGTH_BYTES, dataAt))
    return { tensors: tensorsOf(entries, file.subarray(dataAt)), metadata }
  } catch (error) {
    return fail(error instanceof FormatError ? error.message : String(error))
  }
}

/** What a header says of a tensor. */
interface Entry extends Pick<StoredTensor, 'dtype' | 'shape'> {
  readonly name: string
  readonly start: number
  readonly end: number
}

function readHeader(header: Uint8Array) {
  const entries: Entry[] = []
  let metadata: Record<string, string> = {}
  for (const [name, value] of jsonEntries(header, 'its header')) {
    if (name === '__metadata__') {
      if (value.length > MAX_METADATA_BYTES)
        throw new FormatError(`__metadata__ has ${value.length} bytes, at most ${MAX_METADATA_BYTES} are read`)
      metadata = metadataOf(parseJson(textOf(value, 'its header'), 'its header'))
      continue
    }
    if (entries.length === MAX_TENSORS) throw new FormatError(`it has more than ${MAX_TENSORS} tensors`)
    entries.push(entryOf(name, value))
  }
  return { entries, metadata }
}

const metadataOf = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(asRecord(value, '__metadata__')).map(([key, text]) => [
      key,
      asString(text, `__metadata__.${shownName(key)}`),
    ]),
  )

function entryOf(name: string, value: Uint8Array): Entry {
  const what = `tensor '${shownName(name)}'`
  if (name === '__proto__') throw new FormatError('its header has a key that is not allowed: __proto__')
  if (value.length > MAX_ENTRY_BYTES)
    throw new FormatError(`${what} is described by ${value.length} bytes, at most ${MAX_ENTRY_BYTES} are read`)
  const { dtype, shape, data_offsets } = asRecord(parseJson(textOf(value, 'its header'), 'its header'), what)
  const type = dtypeOf.get(dtype)
  if (type === undefined)
    throw new FormatError(`${what} has the type ${shownName(String(dtype))}, which is not read here`)
  const sizes = asArray(shape, `the shape of '${shownName(name)}'`, 16).map(size =>
    asWhole(size, `the shape of '${shownName(name)}'`, 0),
  )
  const offsets = asArray(data_offsets, `the offsets of '${shownName(name)}'`, 2)
  const [start, end] = [0, 1].map(i => asWhole(offsets[i], `the offsets of '${shownName(name)}'`, 0))
  if (!Number.isSafeInteger(elements(sizes)) || end - start !== storedBytes({ shape: sizes, dtype: type })) {
    throw new FormatError(`${what} (${shownName(String(dtype))} ${sizes.join('×')}) does not take ${end - start} bytes`)
  }
  return { name, dtype: type, shape: sizes, start, end }
}

/** Every byte of the data belongs to exactly one tensor: no gaps, no overlaps, nothing behind the last. */
function tensorsOf(entries: readonly Entry[], data: Uint8Array): Map<string, StoredTensor> {
  let end = 0
  for (const tensor of [...entries].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (tensor.start !== end)
      throw new FormatError(`tensor '${shownName(tensor.name)}' begins at ${tensor.start}, expected ${end}`)
    end = tensor.end
  }
  if (end !== data.length)
    throw new FormatError(`its tensors need ${end} bytes, it has ${data.length}: it was cut short or added to`)
  return new Map(
    entries.map(({ name, dtype, shape, start, end }) => [name, { dtype, shape, bytes: data.subarray(start, end) }]),
  )
}

/** A header begins with a brace; what comes before it, its length, may be damaged. */
export const isSafetensors = (file: Uint8Array): boolean =>
  /^ *\{/.test(String.fromCharCode(...file.subarray(LENGTH_BYTES, LENGTH_BYTES + 32)))
