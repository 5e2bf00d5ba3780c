/**
 * @file Protocol buffers as ONNX files are: messages of the table to bytes and back. A file from outside takes no memory on its
 * word: what is long stays where it lies in the file, and there are limits on how deep and how many messages are.
 */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { FormatError } from '../../errors.js'
import { type Draft, type Field, type Message, type MessageName, messages, type ScalarKind } from './messages.js'

/** As Google's own readers allow. */
const MAX_DEPTH = 100
/** Far above any classifier's; a list's entry takes hundreds of bytes of memory, and may take only 2 of the file. */
const MAX_ENTRIES = 100_000

interface Scalar {
  readonly wireType: WireType
  readonly read: (reader: BinaryReader) => unknown
  readonly write: (writer: BinaryWriter, value: never) => unknown
}

const scalars: Readonly<Record<ScalarKind, Scalar>> = {
  int32: { wireType: WireType.Varint, read: r => r.int32(), write: (w, value: number) => w.int32(value) },
  int64: {
    wireType: WireType.Varint,
    read: r => Number(r.int64()),
    write: (w, value: number) => w.int64(BigInt(value)),
  },
  float: { wireType: WireType.Bit32, read: r => r.float(), write: (w, value: number) => w.float(value) },
  string: { wireType: WireType.LengthDelimited, read: r => r.string(), write: (w, value: string) => w.string(value) },
  bytes: { wireType: WireType.LengthDelimited, read: r => r.bytes(), write: (w, value: Uint8Array) => w.bytes(value) },
}
const scalarOf = (kind: string): Scalar | undefined => scalars[kind as ScalarKind]

/** The fields of a message by their numbers. */
const byNumber = new Map(
  Object.entries(messages).map(([message, fields]) => [
    message,
    new Map(Object.entries(fields as Record<string, Field>).map(([name, field]) => [field[0], { name, field }])),
  ]),
)

/**
 * The message that a file holds. Its bytes are views of the file.
 * @throws FormatError naming the place in the file that is no such message
 */
export function decodeMessage<Name extends MessageName>(name: Name, file: Uint8Array): Message<Name> {
  let entries = 0
  const decode = (message: string, bytes: Uint8Array, place: string, depth: number): Record<string, unknown> => {
    if (depth > MAX_DEPTH) throw new FormatError(`${place}: messages lie more than ${MAX_DEPTH} deep`)
    const result: Record<string, unknown> = {}
    for (const { name, field } of byNumber.get(message)!.values()) {
      if (field[2] !== undefined) result[name] = field[2] === 'packed' ? new Uint8Array(0) : []
    }
    const reader = new BinaryReader(bytes)
    let at = message
    try {
      while (reader.pos < reader.len) {
        const [number, wireType] = reader.tag()
        const known = byNumber.get(message)!.get(number)
        if (known === undefined) {
          reader.skip(wireType, number)
          continue
        }
        const { name, field } = known
        at = name
        const [, kind, many] = field
        const list = result[name] as unknown[]
        const expectType = (type: WireType): void => {
          if (wireType !== type) throw new FormatError(`${place}.${name} is of wire type ${wireType}, not ${type}`)
        }
        const count = (): void => {
          if (++entries > MAX_ENTRIES) throw new FormatError(`${place}.${name}: more than ${MAX_ENTRIES} entries`)
        }
        const scalar = scalarOf(kind)
        if (many === 'packed') {
          expectType(WireType.LengthDelimited)
          if (list.length > 0) throw new FormatError(`${place}.${name} is there twice`)
          result[name] = reader.bytes()
        } else if (scalar === undefined) {
          expectType(WireType.LengthDelimited)
          const inner = `${place}.${name}${many === undefined ? '' : `[${list.length}]`}`
          const value = decode(kind, reader.bytes(), inner, depth + 1)
          if (many === undefined) result[name] = value
          else {
            count()
            list.push(value)
          }
        } else if (many === undefined) {
          expectType(scalar.wireType)
          result[name] = scalar.read(reader)
        } else if (wireType === WireType.LengthDelimited && scalar.wireType !== WireType.LengthDelimited) {
          // Numbers one after another, as proto3 writes them.
          const packed = new BinaryReader(reader.bytes())
          while (packed.pos < packed.len) {
            count()
            list.push(scalar.read(packed))
          }
        } else {
          expectType(scalar.wireType)
          count()
          list.push(scalar.read(reader))
        }
      }
    } catch (error) {
      if (error instanceof FormatError) throw error
      const reason = error instanceof Error ? error.message : String(error)
      throw new FormatError(`${place}: ${reason === 'premature EOF' ? `'${at}' ends too early` : reason}`)
    }
    return result
  }
  // Views of Node's buffers would be buffers, which are no plain arrays to all who read them.
  const plain = new Uint8Array(file.buffer, file.byteOffset, file.byteLength)
  return decode(name, plain, name, 0) as Message<Name>
}

/** Chunks of fewer bytes are put together. */
const SMALL = 1 << 16

/** A message as chunks, to be written one after another: no second copy of the tensors is made. */
export function encodeMessage<Name extends MessageName>(name: Name, draft: Draft<Name>): Uint8Array[] {
  return encode(name, draft as Record<string, unknown>).chunks
}

interface Encoded {
  readonly chunks: Uint8Array[]
  readonly length: number
}

function encode(message: string, draft: Readonly<Record<string, unknown>>): Encoded {
  const chunks: Uint8Array[] = []
  let length = 0
  let writer = new BinaryWriter()
  const flush = (): void => {
    add(writer.finish())
    writer = new BinaryWriter()
  }
  const add = (chunk: Uint8Array): void => {
    if (chunk.length === 0) return
    length += chunk.length
    chunks.push(chunk)
  }
  const fields: Readonly<Record<string, Field>> = messages[message as MessageName]
  for (const [name, [number, kind, many]] of Object.entries(fields)) {
    const value = draft[name]
    if (value === undefined) continue
    for (const one of many === 'repeated' ? (value as unknown[]) : [value]) {
      const scalar = many === 'packed' ? scalars.bytes : scalarOf(kind)
      if (scalar === undefined || (one instanceof Uint8Array && one.length >= SMALL)) {
        const inner =
          one instanceof Uint8Array
            ? { chunks: [one], length: one.length }
            : encode(kind, one as Record<string, unknown>)
        writer.tag(number, WireType.LengthDelimited).uint32(inner.length)
        if (inner.length < SMALL) for (const chunk of inner.chunks) writer.raw(chunk)
        else {
          flush()
          inner.chunks.forEach(add)
        }
      } else {
        writer.tag(number, scalar.wireType)
        scalar.write(writer, one as never)
      }
    }
  }
  flush()
  return { chunks, length }
}
