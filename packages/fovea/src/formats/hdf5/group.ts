/** @file What a group of an HDF5 file holds, by name: in a symbol table (before version 1.8 of HDF5), or as links. */
import { FormatError } from '../../errors.js'
import { shownName } from '../weight-source.js'
import type { Cursor, Hdf5Bytes } from './bytes.js'
import { openFractalHeap, readRecords } from './heap.js'
import type { ObjectHeader } from './object-header.js'

/** Addresses of object headers by name; undefined for what is no group. */
export function readLinks(bytes: Hdf5Bytes, header: ObjectHeader): ReadonlyMap<string, number> | undefined {
  const table = header.first('symbolTable')
  const info = header.first('linkInfo')
  if (table === undefined && info === undefined) return undefined
  const links = new Map<string, number>()
  const add = (name: string, address: number): void => {
    if (name === '' || name.includes('/')) throw new FormatError(`it has a name that is none: '${shownName(name)}'`)
    if (links.has(name)) throw new FormatError(`'${shownName(name)}' is there twice`)
    bytes.count()
    links.set(name, address)
  }
  if (table !== undefined) readSymbols(table, add)
  for (const link of header.all('link')) readLink(link, add)
  if (info !== undefined) readDense(bytes, info, add)
  return links
}

type Add = (name: string, address: number) => void

/** Names lie in a local heap, and the tree's leaves are lists of symbols. */
function readSymbols(table: Cursor, add: Add): void {
  const { bytes } = table
  const [tree, heap] = [table.address(), table.address()]
  const local = bytes.once(heap, 'a local heap').signature('HEAP')
  local.version(0)
  const size = local.skip(3).length()
  const data = local.skip(bytes.lengthSize).address()
  const nameAt = (offset: number): string => {
    if (offset >= size) local.fail('lacks a name')
    return bytes.at(data, 'the names of a local heap', size).skip(offset).name()
  }
  readTree(
    bytes,
    tree,
    0,
    node => node.length(),
    list => {
      const symbols = bytes.once(list, 'a list of symbols').signature('SNOD')
      symbols.version(1)
      const count = symbols.skip(1).u16()
      for (let i = 0; i < count; i++) {
        const name = nameAt(symbols.uint(bytes.addressSize))
        const address = symbols.optionalAddress()
        const isSoft = symbols.u32() === SOFT
        symbols.skip(20)
        if (isSoft) throw new FormatError(`'${shownName(name)}' is a soft link, which is not followed`)
        add(name, address ?? symbols.fail(`has '${shownName(name)}', which is nowhere`))
      }
    },
  )
}

/** How a symbol's other fields are to be read. */
const SOFT = 2

/**
 * A B-tree of version 1: every child has a key before it.
 * @param kind 0 of groups, 1 of chunks
 * @param leaf takes each child of the lowest level with its key
 */
export function readTree<Key>(
  bytes: Hdf5Bytes,
  address: number,
  kind: 0 | 1,
  key: (node: Cursor) => Key,
  leaf: (child: number, key: Key) => void,
  expected?: number,
): void {
  const node = bytes.once(address, 'a B-tree').signature('TREE')
  if (node.u8() !== kind) node.fail('is of another kind')
  const level = node.u8()
  if (expected !== undefined && level !== expected) node.fail(`is on level ${level}, not ${expected}`)
  const count = node.u16()
  node.skip(2 * bytes.addressSize)
  for (let i = 0; i < count; i++) {
    const first = key(node)
    const child = node.address()
    if (level === 0) leaf(child, first)
    else readTree(bytes, child, kind, key, leaf, level - 1)
  }
}

/** What kind of link. */
const HARD = 0
const kinds: Readonly<Record<number, string>> = { 1: 'a soft link', 64: 'a link to another file' }

function readLink(link: Cursor, add: Add): void {
  link.version(1)
  const flags = link.u8()
  const kind = flags & 8 ? link.u8() : HARD
  link.skip((flags & 4 ? 8 : 0) + (flags & 0x10 ? 1 : 0))
  const name = link.name(link.uint(1 << (flags & 3)))
  if (kind !== HARD) {
    throw new FormatError(`'${shownName(name)}' is ${kinds[kind] ?? 'a link of its own kind'}, which is not followed`)
  }
  add(name, link.address())
}

/** Bytes of a record that are before the heap's identifier: a hash of the name. */
const HASH = 4

/** Links that are too many for the header. */
function readDense(bytes: Hdf5Bytes, info: Cursor, add: Add): void {
  info.version(0)
  const flags = info.u8()
  const heap = info.skip(flags & 1 ? 8 : 0).optionalAddress()
  const index = info.optionalAddress()
  if (heap === undefined || index === undefined) return
  const object = openFractalHeap(bytes, heap)
  for (const record of readRecords(bytes, index)) {
    record.skip(HASH)
    readLink(object(record.read(record.left)), add)
  }
}
