/**
 * @file Zip files whose entries are not compressed, as PyTorch and Keras write them: where each entry lies in the file. Nothing is copied,
 * so a model is not in memory twice. (fflate, which unpacks what is compressed elsewhere, copies every entry.)
 */
import { FormatError } from '../errors.js'
import { shownName } from './weight-source.js'

/** Far more than a model has tensors. */
const MAX_ENTRIES = 50_000

/** How each part begins, and how long it is without its texts (https://pkware.com, APPNOTE 6.3.10, sections 4.3 and 4.5.3). */
const LOCAL = { signature: 0x04034b50, bytes: 30 }
const LISTED = { signature: 0x02014b50, bytes: 46 }
const END = { signature: 0x06054b50, bytes: 22 }
const LARGE_END = { signature: 0x06064b50, bytes: 56 }
const LARGE_END_PLACE = { signature: 0x07064b50, bytes: 20 }
type Part = typeof LOCAL

const MAX_COMMENT_BYTES = 0xffff
/** Stands for a number that does not fit into four bytes. */
const ELSEWHERE = 0xffffffff
/** The extra field with numbers of eight bytes. */
const LARGE_NUMBERS = 1

/** What the list at the end says of an entry. */
interface Listed {
  readonly name: string
  /** Where its own header begins. */
  readonly at: number
  readonly size: number
  readonly isCompressed: boolean
}

/**
 * The entries of a zip file, as views of it. Neither PyTorch nor Keras compresses any, and a reader that takes only such ones can be given
 * no file that becomes larger than it is.
 * @param unlike who does not compress entries, and what to do
 * @param check refuses an entry by its name
 * @throws FormatError for a damaged file, and for what the two refuse
 */
export function zipEntries(
  file: Uint8Array,
  unlike: string,
  check: (name: string) => void = () => {},
): ReadonlyMap<string, Uint8Array> {
  const zip = new Zip(file)
  const entries = new Map<string, Uint8Array>()
  let total = 0
  for (const { name, at, size, isCompressed } of zip.list()) {
    check(name)
    if (isCompressed) throw new FormatError(`its entry '${shownName(name)}' is compressed, which ${unlike}`)
    total += size
    if (total > file.length) throw new FormatError(`its entries claim ${total} bytes, the file has ${file.length}`)
    if (entries.has(name)) throw new FormatError(`its entry '${shownName(name)}' is there twice`)
    if (entries.size === MAX_ENTRIES) throw new FormatError(`it has more than ${MAX_ENTRIES} entries`)
    entries.set(name, zip.entry(name, at, size))
  }
  return entries
}

class Zip {
  readonly #view: DataView

  constructor(readonly file: Uint8Array) {
    this.#view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  }

  /** The list with which the file ends. */
  *list(): Generator<Listed> {
    const end = this.#end()
    const large = this.#largeEnd(end)
    const count = large === undefined ? this.#u16(end + 10) : this.#u64(large + 32)
    let at = large === undefined ? this.#u32(end + 16) : this.#u64(large + 48)
    for (let i = 0; i < count; i++) {
      if (!this.#is(LISTED, at)) this.#damaged()
      const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map(field => this.#u16(at + field))
      const [nameAt, method] = [at + LISTED.bytes, this.#u16(at + 10)]
      const extra = [nameAt + nameBytes, nameAt + nameBytes + extraBytes] as const
      const next = extra[1] + commentBytes
      if (next > this.file.length) this.#damaged()
      const [size, packed, place] = this.#large(
        [24, 20, 42].map(field => this.#u32(at + field)),
        extra,
      )
      const name = new TextDecoder().decode(this.file.subarray(nameAt, extra[0]))
      yield { name, at: place, size, isCompressed: method !== 0 || packed !== size }
      at = next
    }
  }

  /** The bytes of an entry, which follow its own header. */
  entry(name: string, at: number, size: number): Uint8Array {
    const start = this.#is(LOCAL, at) ? at + LOCAL.bytes + this.#u16(at + 26) + this.#u16(at + 28) : Number.NaN
    if (!(start + size <= this.file.length)) {
      throw new FormatError(`its entry '${shownName(name)}' should have ${size} bytes at byte ${at}`)
    }
    return this.file.subarray(start, start + size)
  }

  /** Where the end begins: before a comment, which may be empty. */
  #end(): number {
    const last = this.file.length - END.bytes
    for (let at = last; at >= 0 && at >= last - MAX_COMMENT_BYTES; at--) if (this.#is(END, at)) return at
    return this.#damaged()
  }

  /** Where it begins in files of 4 GB or 65,535 entries. */
  #largeEnd(end: number): number | undefined {
    const place = end - LARGE_END_PLACE.bytes
    if (!this.#is(LARGE_END_PLACE, place)) return undefined
    const at = this.#u64(place + 8)
    return this.#is(LARGE_END, at) ? at : this.#damaged()
  }

  /** Numbers of four bytes; those that do not fit stand in the extra fields, in the same order. */
  #large(numbers: readonly number[], [from, end]: readonly [number, number]): readonly number[] {
    if (!numbers.includes(ELSEWHERE)) return numbers
    for (let at = from; at + 4 <= end; at += 4 + this.#u16(at + 2)) {
      if (this.#u16(at) !== LARGE_NUMBERS) continue
      let next = at + 4
      return numbers.map(number => {
        if (number !== ELSEWHERE) return number
        next += 8
        return next > end ? this.#damaged() : this.#u64(next - 8)
      })
    }
    return this.#damaged()
  }

  /** Whether a part begins there, whole but for its texts. */
  #is({ signature, bytes }: Part, at: number): boolean {
    return at >= 0 && at + bytes <= this.file.length && this.#u32(at) === signature
  }

  #u16(at: number): number {
    return this.#view.getUint16(at, true)
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, true)
  }

  /** A file has less than 2^53 bytes: what is more is found to lie beyond its end. */
  #u64(at: number): number {
    return Number(this.#view.getBigUint64(at, true))
  }

  #damaged(): never {
    throw new FormatError(
      `its list of entries, with which a zip file ends, is missing or damaged: it was cut short after ${this.file.length} bytes, or is no zip file`,
    )
  }
}
