/** @file The numbers of a dataset of an HDF5 file: in one piece, in its header, or in chunks that may be compressed. */
import { unzlibSync } from 'fflate'
import { FormatError } from '../../errors.js'
import { elements, type Shape } from '../../graph/types.js'
import { type StoredTensor, type StoredType, shownName } from '../weight-source.js'
import type { Cursor, Hdf5Bytes } from './bytes.js'
import { type ChunkPlace, type ReadChunks, readChunked } from './chunks.js'
import { numberType, readDataspace, readDatatype } from './datatype.js'
import type { ObjectHeader } from './object-header.js'

/** Bytes that compressed numbers may become: five times what the largest layer of our models takes. */
const MAX_INFLATED = 48 << 20

/**
 * The tensor of a dataset; its bytes are made when they are asked for.
 * @param name for messages when its bytes are read
 * @throws FormatError for what is not read, or claims more than the file has
 */
export function readDataset(bytes: Hdf5Bytes, header: ObjectHeader, name: string): StoredTensor {
  const [type, space, layout] = [header.first('datatype'), header.first('dataspace'), header.first('layout')]
  if (type === undefined || space === undefined || layout === undefined) throw new FormatError('it is no tensor')
  const { dtype, size, bigEndian } = numberType(readDatatype(type))
  const shape = readDataspace(space)
  const length = elements(shape) * size
  const filters = readFilters(header.first('filters'))
  const most = filters.length > 0 ? MAX_INFLATED : bytes.file.length
  if (length > most) {
    const limit = filters.length > 0 ? `compressed ones may become ${most}` : `the file has ${most}`
    throw new FormatError(`it claims ${length} bytes, ${limit}`)
  }
  const read = readLayout(layout, { shape, size, length, filters })
  return new Hdf5Tensor(name, dtype, shape, () => {
    const numbers = read(bytes.again())
    return bigEndian ? swapped(numbers, size) : numbers
  })
}

class Hdf5Tensor implements StoredTensor {
  readonly #read: () => Uint8Array

  constructor(
    readonly name: string,
    readonly dtype: StoredType,
    readonly shape: Shape,
    read: () => Uint8Array,
  ) {
    this.#read = read
  }

  get bytes(): Uint8Array {
    try {
      return this.#read()
    } catch (error) {
      throw error instanceof FormatError ? new FormatError(`'${shownName(this.name)}': ${error.message}`) : error
    }
  }
}

/** Elements with their bytes in the other order. */
function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const other = new Uint8Array(bytes.length)
  for (let at = 0; at < bytes.length; at += size) {
    for (let i = 0; i < size; i++) other[at + i] = bytes[at + size - 1 - i]
  }
  return other
}

/** What is known of a dataset before its layout. */
interface Numbers {
  readonly shape: Shape
  /** Of an element, in bytes. */
  readonly size: number
  /** Of all, in bytes. */
  readonly length: number
  readonly filters: readonly Filter[]
}

const [COMPACT, CONTIGUOUS, CHUNKED] = [0, 1, 2]

function readLayout(layout: Cursor, { shape, size, length, filters }: Numbers): (bytes: Hdf5Bytes) => Uint8Array {
  const version = layout.version(3, 4)
  const kind = layout.u8()
  if (kind === CHUNKED) {
    const chunks = readChunked(layout, version, { shape, size, isFiltered: filters.length > 0 })
    const raw = elements(chunks.shape) * size
    return bytes => gather(bytes, chunks, { shape, size, length, filters }, raw)
  }
  if (filters.length > 0) layout.fail('is compressed, and not in chunks')
  if (kind !== COMPACT && kind !== CONTIGUOUS) layout.fail(`is of kind ${kind}, which is not read`)
  if (kind === COMPACT && layout.u16() !== length) layout.fail(`should have ${length} bytes`)
  const place = kind === COMPACT ? layout.take(length) : layout.optionalAddress()
  if (place === undefined && length > 0) layout.fail('has no numbers: they were never written')
  return bytes => (length === 0 ? new Uint8Array(0) : bytes.at(place!, 'its numbers', length).read(length))
}

/** All chunks in their places. */
function gather(
  bytes: Hdf5Bytes,
  chunks: ReadChunks,
  { shape, size, length, filters }: Numbers,
  raw: number,
): Uint8Array {
  const whole = new Uint8Array(length)
  const found = new Set<number>()
  const grid = shape.map((side, axis) => Math.ceil(side / chunks.shape[axis]))
  const count = elements(grid)
  chunks.each(bytes, chunk => {
    const index = chunk.at.reduce((sum, start, axis) => sum * grid[axis] + start / chunks.shape[axis], 0)
    const isPlace = chunk.at.every((start, axis) => start < shape[axis] && start % chunks.shape[axis] === 0)
    if (!isPlace || found.has(index)) throw new FormatError(`a chunk at ${chunk.at.join(', ')} has no place in it`)
    found.add(index)
    copyChunk(whole, shape, unfiltered(bytes, chunk, filters, raw), chunks.shape, chunk.at, size)
  })
  if (found.size < count) throw new FormatError(`${found.size} of its ${count} chunks are there`)
  return whole
}

/** Row by row; what lies beyond the shape is left out. */
function copyChunk(
  whole: Uint8Array,
  shape: Shape,
  chunk: Uint8Array,
  sides: Shape,
  at: readonly number[],
  size: number,
): void {
  const last = shape.length - 1
  const row = size * Math.min(sides[last], shape[last] - at[last])
  const index = sides.map(() => 0)
  for (let from = 0; from < chunk.length; from += size * sides[last]) {
    if (index.every((i, axis) => at[axis] + i < shape[axis])) {
      const to = shape.reduce((sum, side, axis) => sum * side + at[axis] + index[axis], 0)
      whole.set(chunk.subarray(from, from + row), to * size)
    }
    for (let axis = last - 1; axis >= 0; axis--) {
      if (++index[axis] < sides[axis]) break
      index[axis] = 0
    }
  }
}

/** What was done to a chunk before it was written. */
type Filter = { readonly is: 'deflate' } | { readonly is: 'shuffle'; readonly size: number }

const names: Readonly<Record<number, string>> = {
  3: 'fletcher32',
  4: 'szip',
  5: 'nbit',
  6: 'scaleoffset',
  32000: 'lzf',
  32001: 'blosc',
  32004: 'lz4',
  32015: 'zstd',
}

function readFilters(pipeline: Cursor | undefined): readonly Filter[] {
  if (pipeline === undefined) return []
  const version = pipeline.version(1, 2)
  const count = pipeline.u8()
  if (version === 1) pipeline.skip(6)
  return Array.from({ length: count }, (): Filter => {
    const filter = pipeline.u16()
    const nameLength = version === 1 || filter >= 256 ? pipeline.u16() : 0
    pipeline.skip(2)
    const values = pipeline.u16()
    pipeline.skip(version === 1 ? Math.ceil(nameLength / 8) * 8 : nameLength)
    const [size = 1] = Array.from({ length: values }, () => pipeline.u32())
    if (version === 1 && values % 2 === 1) pipeline.skip(4)
    if (filter === 1) return { is: 'deflate' }
    if (filter === 2) return { is: 'shuffle', size }
    return pipeline.fail(`names the filter ${names[filter] ?? filter}; only gzip and shuffle are read`)
  })
}

/** The bytes of a chunk, all of its filters undone, the last one first. Each has a bit in the mask that says that it was left out. */
function unfiltered(bytes: Hdf5Bytes, chunk: ChunkPlace, filters: readonly Filter[], raw: number): Uint8Array {
  const { address, mask } = chunk
  const length = chunk.length ?? raw
  let data = bytes.at(address, 'a chunk', length).read(length)
  for (const [index, filter] of [...filters.entries()].reverse()) {
    if (((mask >>> index) & 1) === 1) continue
    data = filter.is === 'deflate' ? inflated(data, raw, address) : unshuffled(data, filter.size)
  }
  if (data.length !== raw) throw new FormatError(`a chunk at byte ${address} has ${data.length} bytes, not ${raw}`)
  return data
}

function inflated(data: Uint8Array, raw: number, address: number): Uint8Array {
  let result: Uint8Array | undefined
  try {
    // One byte more than it can be: what is longer is cut off there, whatever it would become.
    result = unzlibSync(data, { out: new Uint8Array(raw + 1) })
  } catch {
    throw new FormatError(`a chunk at byte ${address} is not what gzip writes`)
  }
  if (result.length !== raw) throw new FormatError(`a chunk at byte ${address} does not become ${raw} bytes`)
  return result
}

/** First bytes of all elements, second bytes of all, …: back to element after element. */
function unshuffled(data: Uint8Array, size: number): Uint8Array {
  const count = Math.floor(data.length / size)
  const elements = new Uint8Array(data.length)
  for (let byte = 0; byte < size; byte++) {
    for (let i = 0, from = byte * count; i < count; i++) elements[i * size + byte] = data[from + i]
  }
  elements.set(data.subarray(count * size), count * size)
  return elements
}
