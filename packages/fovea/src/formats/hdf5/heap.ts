/**
 * @file The heaps of an HDF5 file: global ones, which hold texts of any length, and fractal ones with the B-tree that lists what is in
 * them, which hold the links of large groups.
 */
import { bytesFor, type Cursor, type Hdf5Bytes } from './bytes.js'

/** The objects of a global heap's collection, by index. */
export function readCollection(bytes: Hdf5Bytes, address: number): ReadonlyMap<number, Uint8Array> {
  const cursor = bytes.at(address, 'a global heap').signature('GCOL')
  cursor.version(1)
  const size = cursor.skip(3).length()
  const collection = bytes.at(address, cursor.what, size).skip(cursor.position - address)
  const objects = new Map<number, Uint8Array>()
  while (collection.left >= 8 + bytes.lengthSize) {
    const index = collection.u16()
    const length = collection.skip(6).length()
    // The rest is free.
    if (index === 0) break
    bytes.count()
    objects.set(index, collection.read(length))
    collection.skip(Math.min(collection.left, -length & 7))
  }
  return objects
}

/** Reads the object of an identifier. */
type ReadObject = (identifier: Uint8Array) => Cursor

/** Of a fractal heap whose blocks are at most one level deep, which half a megabyte of links are. */
export function openFractalHeap(bytes: Hdf5Bytes, address: number): ReadObject {
  const header = bytes.at(address, 'a fractal heap').signature('FRHP')
  header.version(0)
  header.skip(2)
  if (header.u16() > 0) header.fail('is compressed, which is not read')
  header.skip(1)
  const largestObject = header.u32()
  header.skip(10 * bytes.lengthSize + 2 * bytes.addressSize)
  const width = header.u16()
  const [startingSize, largestBlock] = [header.length(), header.length()]
  const offsetSize = Math.ceil(header.u16() / 8)
  const root = header.skip(2).address()
  const rows = header.u16()
  if (width === 0 || startingSize === 0) header.fail('has no blocks')
  const lengthSize = Math.min(Math.floor((Math.log2(Math.max(1, largestBlock)) + 7) / 8), bytesFor(largestObject))
  const blocks: { readonly address: number; readonly from: number; readonly size: number }[] = []
  if (rows === 0) blocks.push({ address: root, from: 0, size: startingSize })
  else {
    const indirect = bytes.at(root, 'a block of a fractal heap').signature('FHIB')
    indirect.version(0)
    indirect.skip(bytes.addressSize + offsetSize)
    let from = 0
    for (let row = 0; row < rows; row++) {
      const size = startingSize * 2 ** Math.max(0, row - 1)
      if (size > largestBlock) header.fail('is deeper than is read')
      for (let column = 0; column < width; column++) {
        const address = indirect.optionalAddress()
        if (address !== undefined) blocks.push({ address, from, size })
        from += size
      }
    }
  }
  return identifier => {
    if (identifier.length < 1 + offsetSize + lengthSize) header.fail('has identifiers that are too short')
    if ((identifier[0] & 0x30) !== 0) header.fail('has a large object, which is not read')
    const number = (at: number, size: number): number => {
      let value = 0
      for (let i = at + size - 1; i >= at; i--) value = 256 * value + identifier[i]
      return value
    }
    const [offset, length] = [number(1, offsetSize), number(1 + offsetSize, lengthSize)]
    const block = blocks.find(({ from, size }) => offset >= from && offset + length <= from + size)
    if (block === undefined) return header.fail('lacks an object that its index has')
    return bytes.at(block.address + offset - block.from, 'an object of a fractal heap', length)
  }
}

/** The records of a B-tree of version 2, in any order. */
export function readRecords(bytes: Hdf5Bytes, address: number): readonly Cursor[] {
  const header = bytes.once(address, 'an index').signature('BTHD')
  header.version(0)
  header.skip(1)
  const [nodeSize, recordSize, depth] = [header.u32(), header.u16(), header.u16()]
  const root = header.skip(2).optionalAddress()
  const rootCount = header.u16()
  if (root === undefined) return []
  // What a node holds at most decides how wide the counts in it are.
  const OVERHEAD = 10
  if (recordSize === 0 || depth > 8) header.fail('is damaged')
  let most = Math.floor((nodeSize - OVERHEAD) / recordSize)
  const countSize = bytesFor(most)
  const totalSizes = [0]
  for (let level = 1; level <= depth; level++) {
    const pointer = bytes.addressSize + countSize + totalSizes[level - 1]
    const own = Math.floor((nodeSize - OVERHEAD - pointer) / (recordSize + pointer))
    most = (own + 1) * most + own
    totalSizes.push(bytesFor(most))
  }
  const records: Cursor[] = []
  const visit = (address: number, count: number, level: number): void => {
    const node = bytes.once(address, 'a node of an index', nodeSize).signature(level === 0 ? 'BTLF' : 'BTIN')
    node.version(0)
    node.skip(1)
    for (let i = 0; i < count; i++) records.push(bytes.at(node.take(recordSize), 'a record of an index', recordSize))
    for (let i = 0; level > 0 && i <= count; i++) {
      const [child, children] = [node.address(), node.uint(countSize)]
      node.skip(totalSizes[level - 1])
      visit(child, children, level - 1)
    }
  }
  visit(root, rootCount, depth)
  return records
}
