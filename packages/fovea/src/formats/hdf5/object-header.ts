/** @file Object headers: what a group or a dataset of an HDF5 file is, as a list of messages, in both versions. */
import type { Cursor, Hdf5Bytes } from './bytes.js'

/** The kinds of messages that are read; others say how a file was written. */
export const messageKinds = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  link: 0x06,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const
const CONTINUATION = 0x10
/** Its bytes lie elsewhere. */
const SHARED = 2

/** Messages by kind, each read from its beginning. */
export interface ObjectHeader {
  readonly address: number
  readonly all: (kind: keyof typeof messageKinds) => readonly Cursor[]
  readonly first: (kind: keyof typeof messageKinds) => Cursor | undefined
}

interface Message {
  readonly kind: number
  readonly flags: number
  readonly from: number
  readonly size: number
}

const named = new Map<number, string>(Object.entries(messageKinds).map(([name, kind]) => [kind, name]))

/** @throws FormatError for a header that is damaged, or belongs to two objects */
export function readObjectHeader(bytes: Hdf5Bytes, address: number): ObjectHeader {
  const cursor = bytes.once(address, 'an object header')
  const messages = bytes.file[address] === 'O'.charCodeAt(0) ? readNew(cursor) : readOld(cursor)
  const cursors = (kind: keyof typeof messageKinds): Cursor[] =>
    messages
      .filter(message => message.kind === messageKinds[kind])
      .map(({ flags, from, size }) => {
        const message = bytes.at(from, `its message '${kind}'`, size)
        return (flags & SHARED) === 0 ? message : message.fail('is shared with other objects, which is not read')
      })
  return { address, all: cursors, first: kind => cursors(kind)[0] }
}

/** Messages of a block and of those that go on from it. */
function readBlocks(first: Cursor, next: (block: Cursor) => Message, header: number, begin: (block: Cursor) => number) {
  const messages: Message[] = []
  const blocks = [first]
  for (let block = blocks.pop(); block !== undefined; block = blocks.pop()) {
    // Fewer bytes than a message has are a gap.
    while (block.left >= header) {
      const message = next(block)
      if (message.kind === CONTINUATION) {
        const place = block.bytes.at(message.from, 'a continuation', message.size)
        const [address, length] = [place.address(), place.length()]
        const more = block.bytes.once(address, 'a block of an object header', length)
        const checksum = begin(more)
        blocks.push(block.bytes.at(more.position, more.what, more.left - checksum))
      } else if (named.has(message.kind)) {
        first.bytes.count()
        messages.push(message)
      }
    }
  }
  return messages
}

/** Version 1: each message begins at a multiple of 8. */
function readOld(cursor: Cursor): readonly Message[] {
  cursor.version(1)
  const size = cursor.skip(7).u32()
  const next = (block: Cursor): Message => {
    const [kind, size] = [block.u16(), block.u16()]
    const flags = block.u8()
    return { kind, flags, from: block.skip(3).take(size), size }
  }
  return readBlocks(cursor.bytes.at(cursor.position + 4, cursor.what, size), next, 8, () => 0)
}

const CHECKSUM = 4

/** Version 2, packed, with checksums. */
function readNew(cursor: Cursor): readonly Message[] {
  cursor.signature('OHDR').version(2)
  const flags = cursor.u8()
  cursor.skip((flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0))
  const size = cursor.uint(1 << (flags & 3))
  const order = flags & 4 ? 2 : 0
  const next = (block: Cursor): Message => {
    const kind = block.u8()
    const size = block.u16()
    const flags = block.u8()
    return { kind, flags, from: block.skip(order).take(size), size }
  }
  const begin = (block: Cursor): number => {
    block.signature('OCHK')
    return CHECKSUM
  }
  return readBlocks(cursor.bytes.at(cursor.position, cursor.what, size), next, 4 + order, begin)
}
