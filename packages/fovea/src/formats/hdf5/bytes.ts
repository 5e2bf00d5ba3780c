/** @file The bytes of an HDF5 file, none read beyond its end. Everything else of the format is read through a `Cursor`. */
import { FormatError } from '../../errors.js'

/** An address that stands for nothing: all of its bits are 1. */
const isNothing = (value: bigint, size: number): boolean => value === (1n << BigInt(8 * size)) - 1n

/** Far more than a model's file has, with its optimizer. */
const MAX_PARTS = 300_000
const MAX_NAME = 1000

/** The whole file, and how wide its addresses and lengths are, which its superblock says. */
export class Hdf5Bytes {
  readonly view: DataView
  /** Bytes of an address. */
  addressSize = 8
  /** Bytes of a length. */
  lengthSize = 8
  readonly #visited = new Set<number>()
  #parts = 0
  #textBytes = 0

  constructor(readonly file: Uint8Array) {
    this.view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  }

  /** The same file, nothing of which has been visited. */
  again(): Hdf5Bytes {
    const bytes = new Hdf5Bytes(this.file)
    bytes.addressSize = this.addressSize
    bytes.lengthSize = this.lengthSize
    return bytes
  }

  /**
   * Begins to read a part of the file.
   * @param what the part, for messages: `a B-tree`
   * @param length how far may be read. Default: to the end of the file
   */
  at(address: number, what: string, length = this.file.length - address): Cursor {
    if (address + length > this.file.length || length < 0) {
      throw new FormatError(`${what} at byte ${address} lies beyond its end`)
    }
    return new Cursor(this, address, address + length, what)
  }

  /** As `at`, of a part that belongs to one place alone: a second visit is a circle, or a file that would be read without end. */
  once(address: number, what: string, length?: number): Cursor {
    this.count()
    if (this.#visited.has(address)) throw new FormatError(`${what} at byte ${address} is referred to twice`)
    this.#visited.add(address)
    return this.at(address, what, length)
  }

  /** Of all that is kept while a file is read: what it becomes takes far more memory than the file. */
  count(): void {
    if (++this.#parts > MAX_PARTS) throw new FormatError(`it has more than ${MAX_PARTS} objects, links and attributes`)
  }

  /** A text that is kept. The same bytes could be referred to from everywhere. */
  text(bytes: Uint8Array): string {
    this.count()
    this.#textBytes += bytes.length
    if (this.#textBytes > this.file.length) throw new FormatError('its texts are longer than the file')
    return textOf(bytes)
  }
}

/** Reads one value after another. Numbers are little-endian. */
export class Cursor {
  readonly start: number

  constructor(
    readonly bytes: Hdf5Bytes,
    public position: number,
    readonly end: number,
    readonly what: string,
  ) {
    this.start = position
  }

  get left(): number {
    return this.end - this.position
  }

  /** @throws FormatError that says what is wrong with this part, and where it begins */
  fail(problem: string): never {
    throw new FormatError(`${this.what} at byte ${this.start} ${problem}`)
  }

  take(count: number): number {
    const at = this.position
    if (count > this.left) this.fail('was cut short')
    this.position += count
    return at
  }

  skip(count: number): this {
    this.take(count)
    return this
  }

  read(count: number): Uint8Array {
    const at = this.take(count)
    return this.bytes.file.subarray(at, at + count)
  }

  u8(): number {
    return this.bytes.view.getUint8(this.take(1))
  }

  u16(): number {
    return this.bytes.view.getUint16(this.take(2), true)
  }

  u32(): number {
    return this.bytes.view.getUint32(this.take(4), true)
  }

  /** A number of any width, as far as numbers are exact. */
  uint(size: number): number {
    const value = this.#wide(size)
    if (value > Number.MAX_SAFE_INTEGER) this.fail(`has a number that is too large: ${value}`)
    return Number(value)
  }

  length(): number {
    return this.uint(this.bytes.lengthSize)
  }

  /** Undefined where there is nothing. */
  optionalAddress(): number | undefined {
    const value = this.#wide(this.bytes.addressSize)
    if (isNothing(value, this.bytes.addressSize)) return undefined
    if (value >= this.bytes.file.length) this.fail(`refers to byte ${value}, the file has ${this.bytes.file.length}`)
    return Number(value)
  }

  address(): number {
    return this.optionalAddress() ?? this.fail('refers to nothing')
  }

  /** Four letters, by which parts of a file are known. */
  signature(expected: string): this {
    if (ascii(this.read(expected.length)) !== expected) this.fail(`does not begin with ${expected}`)
    return this
  }

  version(...known: readonly number[]): number {
    const version = this.u8()
    if (!known.includes(version)) this.fail(`is of version ${version}, ${known.join(' and ')} can be read`)
    return version
  }

  /** A name of so many bytes, or to the first zero. */
  name(
    length = this.bytes.file.subarray(this.position, Math.min(this.end, this.position + MAX_NAME + 1)).indexOf(0),
  ): string {
    if (length < 0 || length > MAX_NAME) this.fail('has a name without an end, or a very long one')
    return textOf(this.read(length))
  }

  #wide(size: number): bigint {
    const at = this.take(size)
    let value = 0n
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes.file[at + i])
    return value
  }
}

const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
const utf8 = new TextDecoder()
export const textOf = (bytes: Uint8Array): string => utf8.decode(bytes)

/** Bytes that a number up to `most` takes. */
export const bytesFor = (most: number): number => Math.floor(Math.log2(Math.max(1, most)) / 8) + 1
