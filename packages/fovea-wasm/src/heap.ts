/** @file The memory that all programs of a team share: pieces are taken from it and given back. */
import { EngineError, formatBytes } from 'fovea/engine'

const PAGE = 1 << 16
const ALIGNMENT = 64
/** How large a memory may become: what a pointer of 32 bits reaches, and what phones and browsers of 32 bits rather allow. */
const GREATEST_PAGES = [1 << 16, 1 << 15, 1 << 14]

/**
 * Memory that threads share, which may become as large as is allowed here.
 * @throws EngineError where none is
 */
export function sharedMemory(firstPages: number): { readonly memory: WebAssembly.Memory; readonly mostPages: number } {
  let problem: unknown
  for (const mostPages of GREATEST_PAGES) {
    try {
      const memory = new WebAssembly.Memory({ initial: firstPages, maximum: mostPages, shared: true })
      return { memory, mostPages }
    } catch (error) {
      problem = error
    }
  }
  const least = formatBytes(GREATEST_PAGES.at(-1)! * PAGE)
  throw new EngineError(
    `the wasm engine is given no memory, not even of at most ${least} (${problem instanceof Error ? problem.message : problem}): close other pages or programs, or raise this one's limit of address space (ulimit -v)`,
  )
}

interface Piece {
  start: number
  end: number
}

/**
 * Which bytes of a team's memory are taken. First fit; what is given back joins free neighbours, and the memory grows by whole pages
 * only where no piece is large enough.
 */
export class Heap {
  /** In the order of their addresses; no two touch. */
  readonly #free: Piece[] = []
  readonly #taken = new Map<number, number>()
  readonly #mostBytes: number
  #end: number

  /**
   * @param start what lies below is the module's own
   * @param mostPages the maximum of the memory
   */
  constructor(
    readonly memory: WebAssembly.Memory,
    start: number,
    mostPages: number,
  ) {
    this.#mostBytes = mostPages * PAGE
    this.#end = memory.buffer.byteLength
    this.#give({ start: Math.ceil(start / ALIGNMENT) * ALIGNMENT, end: this.#end })
  }

  /** How many more bytes can be taken at once at most. */
  get roomBytes(): number {
    const last = this.#free.at(-1)
    const atEnd = last?.end === this.#end ? last.end - last.start : 0
    const growing = this.#mostBytes - this.#end + atEnd
    return Math.max(growing, ...this.#free.map(({ start, end }) => end - start))
  }

  /**
   * The address of so many bytes, which hold anything.
   * @throws EngineError where there are none
   */
  take(bytes: number): number {
    // What follows may be read by a vector that goes beyond the end.
    const size = Math.ceil((bytes + ALIGNMENT) / ALIGNMENT) * ALIGNMENT
    const piece = this.#free.find(({ start, end }) => end - start >= size) ?? this.#grow(size)
    const { start } = piece
    piece.start += size
    if (piece.start === piece.end) this.#free.splice(this.#free.indexOf(piece), 1)
    this.#taken.set(start, start + size)
    return start
  }

  /** Gives back what was taken. */
  give(start: number): void {
    const end = this.#taken.get(start)
    if (end === undefined) throw new Error(`heap: nothing was taken at ${start}`)
    this.#taken.delete(start)
    this.#give({ start, end })
  }

  /** @returns the last free piece, which is large enough now */
  #grow(size: number): Piece {
    const last = this.#free.at(-1)
    const atEnd = last?.end === this.#end ? last.end - last.start : 0
    const pages = Math.ceil((size - atEnd) / PAGE)
    try {
      this.memory.grow(pages)
    } catch {
      throw new EngineError(
        `the wasm engine cannot take ${formatBytes(size)} more: its memory has ${formatBytes(this.#end)} of at most ${formatBytes(this.#mostBytes)}`,
      )
    }
    const start = this.#end
    this.#end += pages * PAGE
    this.#give({ start, end: this.#end })
    return this.#free.at(-1)!
  }

  #give(piece: Piece): void {
    const after = this.#free.findIndex(({ start }) => start > piece.start)
    const at = after < 0 ? this.#free.length : after
    const [before, next] = [this.#free[at - 1], this.#free[at]]
    if (next?.start === piece.end) {
      piece.end = next.end
      this.#free.splice(at, 1)
    }
    if (before?.end === piece.start) before.end = piece.end
    else this.#free.splice(at, 0, piece)
  }
}
