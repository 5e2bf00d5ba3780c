/** @file The attributes of an object of an HDF5 file that are texts, or lists of them: all that is read of attributes. */
import { FormatError } from '../../errors.js'
import { elements } from '../../graph/types.js'
import { shownName } from '../weight-source.js'
import type { Cursor, Hdf5Bytes } from './bytes.js'
import { readDataspace, readDatatype } from './datatype.js'
import { readCollection } from './heap.js'
import type { ObjectHeader } from './object-header.js'

/** By name: one text for a single one, too. Attributes of other types are not there. */
export function readTexts(bytes: Hdf5Bytes, header: ObjectHeader): ReadonlyMap<string, readonly string[]> {
  const info = header.first('attributeInfo')
  if (info !== undefined) {
    info.version(0)
    const flags = info.u8()
    if (info.skip(flags & 1 ? 2 : 0).optionalAddress() !== undefined) {
      info.fail('has attributes in a heap of their own, which are not read')
    }
  }
  const texts = new Map<string, readonly string[]>()
  const heaps = new Map<number, ReturnType<typeof readCollection>>()
  const inHeap = (address: number, index: number): Uint8Array | undefined => {
    const heap = heaps.get(address) ?? readCollection(bytes, address)
    heaps.set(address, heap)
    return heap.get(index)
  }
  for (const message of header.all('attribute')) {
    const [name, values] = readAttribute(message, inHeap)
    if (values === undefined) continue
    if (texts.has(name)) throw new FormatError(`its attribute '${shownName(name)}' is there twice`)
    texts.set(name, values)
  }
  return texts
}

type InHeap = (address: number, index: number) => Uint8Array | undefined

function readAttribute(message: Cursor, inHeap: InHeap): readonly [string, readonly string[] | undefined] {
  const version = message.version(1, 2, 3)
  if ((message.u8() & 3) !== 0 && version > 1) message.fail('shares its type with others, which is not read')
  const sizes = [message.u16(), message.u16(), message.u16()]
  if (version === 3) message.skip(1)
  // Version 1 pads each of the three parts.
  const [name, type, space] = sizes.map(size => {
    const at = message.take(size)
    if (version === 1) message.skip(-size & 7)
    return message.bytes.at(at, 'a part of an attribute', size)
  })
  const what = name.name()
  const { is, ...datatype } = readDatatype(type)
  if (is !== 'text' && is !== 'long text') return [what, undefined]
  const { size } = datatype as { readonly size: number }
  const count = elements(readDataspace(space))
  if (size === 0 || count * size > message.left) message.fail(`'${shownName(what)}' is longer than it can be`)
  return [what, Array.from({ length: count }, () => readText(message, is, size, inHeap))]
}

/** Without the zeros or spaces that fill it up. */
function readText(message: Cursor, is: 'text' | 'long text', size: number, inHeap: InHeap): string {
  const { bytes } = message
  const from = bytes.at(message.take(size), 'a text', size)
  if (is === 'text') {
    const whole = from.read(size)
    const end = whole.indexOf(0)
    return bytes.text(end < 0 ? whole : whole.subarray(0, end))
  }
  const length = from.u32()
  const address = from.optionalAddress()
  if (length === 0 || address === undefined || address === 0) return ''
  const text = inHeap(address, from.u32())
  if (text === undefined || text.length < length) return from.fail('is not in its heap')
  return bytes.text(text.subarray(0, length))
}
