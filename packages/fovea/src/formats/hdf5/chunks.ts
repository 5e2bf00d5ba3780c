/** @file Where the chunks of a dataset lie: in a B-tree, or, in files of HDF5 1.10 and later, in one of the simpler indices. */
import { elements, type Shape } from '../../graph/types.js'
import type { Cursor, Hdf5Bytes } from './bytes.js'
import { readTree } from './group.js'

/** One chunk. */
export interface ChunkPlace {
  /** Of its first element. */
  readonly at: readonly number[]
  readonly address: number
  /** In the file, in bytes; undefined if it has no filters. */
  readonly length: number | undefined
  /** A bit for each filter that was left out. */
  readonly mask: number
}

/** All chunks of a dataset. */
export interface ReadChunks {
  /** Of each: as many axes as the dataset. */
  readonly shape: Shape
  readonly each: (bytes: Hdf5Bytes, visit: (chunk: ChunkPlace) => void) => void
}

interface ChunkedNumbers {
  readonly shape: Shape
  readonly size: number
  readonly isFiltered: boolean
}

/** @param layout at what follows its kind */
export function readChunked(layout: Cursor, version: number, numbers: ChunkedNumbers): ReadChunks {
  return version === 3 ? readTreeLayout(layout, numbers) : readIndexedLayout(layout, numbers)
}

/** Bytes that a compressed chunk may become. */
const MAX_INFLATED_CHUNK = 32 << 20

/** Sides of a chunk; the last that a file has is the size of an element. */
function checkedSides(layout: Cursor, sides: readonly number[], { shape, size, isFiltered }: ChunkedNumbers): Shape {
  const chunk = sides.slice(0, -1)
  const fits = chunk.length === shape.length && chunk.length > 0 && sides[sides.length - 1] === size
  if (!fits || chunk.includes(0)) layout.fail('has chunks that do not fit the dataset')
  const most = isFiltered ? MAX_INFLATED_CHUNK : layout.bytes.file.length
  if (elements(chunk) * size > most) layout.fail(`has chunks of ${chunk.join('×')}, larger than is read`)
  return chunk
}

function readTreeLayout(layout: Cursor, numbers: ChunkedNumbers): ReadChunks {
  const rank = layout.u8()
  const root = layout.optionalAddress()
  const sides = Array.from({ length: rank }, () => layout.u32())
  const shape = checkedSides(layout, sides, numbers)
  const key = (node: Cursor) => {
    const [length, mask] = [node.u32(), node.u32()]
    const at = Array.from({ length: rank }, () => node.uint(8))
    return { length, mask, at: at.slice(0, -1) }
  }
  return {
    shape,
    each: (bytes, visit) => {
      if (root !== undefined) readTree(bytes, root, 1, key, (address, chunk) => visit({ ...chunk, address }))
    },
  }
}

const [SINGLE, IMPLICIT, FIXED] = [1, 2, 3]
const growing: Readonly<Record<number, string>> = { 4: 'an extensible array', 5: 'a B-tree of version 2' }

function readIndexedLayout(layout: Cursor, numbers: ChunkedNumbers): ReadChunks {
  const flags = layout.u8()
  const rank = layout.u8()
  const width = layout.u8()
  const sides = Array.from({ length: rank }, () => layout.uint(width))
  const shape = checkedSides(layout, sides, numbers)
  const raw = elements(shape) * numbers.size
  const index = layout.u8()
  const grid = numbers.shape.map((side, axis) => Math.ceil(side / shape[axis]))
  const placeOf = (number: number): number[] => {
    const at = grid.map(() => 0)
    for (let axis = at.length - 1, rest = number; axis >= 0; axis--) {
      at[axis] = (rest % grid[axis]) * shape[axis]
      rest = Math.floor(rest / grid[axis])
    }
    return at
  }
  if (index === SINGLE) {
    const isFiltered = (flags & 2) !== 0
    const [length, mask] = isFiltered ? [layout.length(), layout.u32()] : [undefined, 0]
    const address = layout.address()
    return { shape, each: (_, visit) => visit({ at: placeOf(0), address, length, mask }) }
  }
  if (index === IMPLICIT) {
    const address = layout.address()
    const each: ReadChunks['each'] = (_, visit) => {
      for (let i = 0; i < elements(grid); i++)
        visit({ at: placeOf(i), address: address + i * raw, length: undefined, mask: 0 })
    }
    return { shape, each }
  }
  if (index !== FIXED) layout.fail(`has its chunks in ${growing[index] ?? `index ${index}`}, which is not read`)
  const pageBits = layout.u8()
  const root = layout.address()
  return {
    shape,
    each: (bytes, visit) => readFixedArray(bytes, root, pageBits, (i, entry) => visit({ at: placeOf(i), ...entry })),
  }
}

/** An array of addresses, and of lengths where there are filters; in one block, as up to 1,024 chunks are. */
function readFixedArray(
  bytes: Hdf5Bytes,
  root: number,
  pageBits: number,
  visit: (index: number, entry: Omit<ChunkPlace, 'at'>) => void,
): void {
  const header = bytes.once(root, 'an array of chunks').signature('FAHD')
  header.version(0)
  const isFiltered = header.u8() === 1
  const entrySize = header.u8()
  header.skip(1)
  const count = header.length()
  if (count > 2 ** pageBits) header.fail(`has pages, as more than ${2 ** pageBits} chunks have, which are not read`)
  const block = bytes.once(header.address(), 'a block of chunks').signature('FADB')
  block.version(0)
  block.skip(1 + bytes.addressSize)
  for (let i = 0; i < count; i++) {
    const entry = bytes.at(block.take(entrySize), 'an entry of an array of chunks', entrySize)
    const address = entry.optionalAddress()
    if (address === undefined) continue
    const length = isFiltered ? entry.uint(entrySize - bytes.addressSize - 4) : undefined
    visit(i, { address, length, mask: isFiltered ? entry.u32() : 0 })
  }
}
