/**
 * @file The machine that a pickle is a program for: a stack with marks, and values that it keeps under a number. It builds plain
 * values, calls nothing but what its host allows, and takes no memory on a file's word.
 */
import { FormatError } from '../errors.js'
import { shownName } from './weight-source.js'

/** Something of a Python module that a pickle names; with `call`, a function or class that it may call. */
export class PickleGlobal {
  constructor(
    readonly name: string,
    readonly call?: (values: readonly unknown[]) => unknown,
  ) {}
}

/** What a pickle may refer to. */
export interface PickleHost {
  /** What stands for `collections.OrderedDict` and the like; anything else is refused by its name. */
  readonly globals: ReadonlyMap<string, PickleGlobal>
  /** The value of an object that is kept outside of the pickle. */
  readonly persistent: (id: unknown) => unknown
}

/** More than any file of weights needs; each list or dictionary takes up to two hundred bytes. */
const MAX_CONTAINERS = 400_000
const MAX_TEXT_BYTES = 1 << 20
const MAX_LINE = 1000

const utf8 = new TextDecoder('utf-8', { fatal: true })
const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

/** What a pickle's steps work on. */
export class PickleMachine {
  readonly view: DataView
  readonly memo = new Map<number, unknown>()
  stack: unknown[] = []
  /** The stacks below each mark. */
  readonly below: unknown[][] = []
  containers = 0

  constructor(
    readonly bytes: Uint8Array,
    readonly host: PickleHost,
    public at: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** The next bytes, as a view. */
  take(count: number): Uint8Array {
    if (count > this.bytes.length - this.at) {
      throw new FormatError(`it ends within a value: ${count} bytes should follow, ${this.bytes.length - this.at} do`)
    }
    this.at += count
    return this.bytes.subarray(this.at - count, this.at)
  }

  /** An unsigned number of 1, 2, 4 or 8 bytes. */
  whole(size: 1 | 2 | 4 | 8): number {
    const at = this.at
    this.take(size)
    if (size === 8) {
      const value = this.view.getBigUint64(at, true)
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new FormatError(`it claims a length of ${value} bytes`)
      return Number(value)
    }
    return size === 1
      ? this.view.getUint8(at)
      : size === 2
        ? this.view.getUint16(at, true)
        : this.view.getUint32(at, true)
  }

  signed(): number {
    const at = this.at
    this.take(4)
    return this.view.getInt32(at, true)
  }

  float(): number {
    const at = this.at
    this.take(8)
    return this.view.getFloat64(at)
  }

  line(): string {
    const end = this.bytes.subarray(this.at, this.at + MAX_LINE).indexOf(0x0a)
    if (end < 0) throw new FormatError('it has a line without an end')
    const text = latin1(this.take(end))
    this.at++
    return text
  }

  text(length: number): string {
    if (length > MAX_TEXT_BYTES)
      throw new FormatError(`it has a text of ${length} bytes, at most ${MAX_TEXT_BYTES} are read`)
    try {
      return utf8.decode(this.take(length))
    } catch (error) {
      throw error instanceof FormatError ? error : new FormatError('it has a text that is not UTF-8')
    }
  }

  /** Of Python 2: bytes that are names. */
  oldText(length: number): string {
    if (length > MAX_LINE) throw new FormatError(`it has a name of ${length} bytes`)
    return latin1(this.take(length))
  }

  push(value: unknown): void {
    this.stack.push(value)
  }

  pop(): unknown {
    if (this.stack.length === 0) throw new FormatError('it takes a value where there is none')
    return this.stack.pop()
  }

  peek<T>(is: (value: unknown) => value is T, what: string): T {
    const value = this.stack.at(-1)
    if (!is(value)) throw new FormatError(`it adds to ${what} where there is none`)
    return value
  }

  /** All above the last mark, which goes. */
  popMark(): unknown[] {
    const values = this.stack
    const below = this.below.pop()
    if (below === undefined) throw new FormatError('it goes back to a mark where there is none')
    this.stack = below
    return values
  }

  /** Counts what takes memory of its own. */
  count(): void {
    if (++this.containers > MAX_CONTAINERS)
      throw new FormatError(`it has more than ${MAX_CONTAINERS} lists and dictionaries`)
  }

  container(value: unknown[] | Map<unknown, unknown>): void {
    this.count()
    this.push(value)
  }

  mark(): void {
    this.count()
    this.below.push(this.stack)
    this.stack = []
  }

  get(index: number): void {
    if (!this.memo.has(index)) throw new FormatError(`it refers to value ${index}, which it has not kept`)
    this.push(this.memo.get(index))
  }

  put(index: number): void {
    if (this.stack.length === 0) throw new FormatError('it keeps a value where there is none')
    this.memo.set(index, this.stack.at(-1))
  }

  global(module: unknown, name: unknown): PickleGlobal {
    if (typeof module !== 'string' || typeof name !== 'string')
      throw new FormatError('it names a global by what is no text')
    const path = `${module}.${name}`
    const found = this.host.globals.get(path)
    if (found === undefined) {
      throw new FormatError(
        `it wants to use ${shownName(path)}, which is not allowed: save the weights alone, with torch.save(model.state_dict(), …)`,
      )
    }
    return found
  }

  call(): void {
    const values = this.pop()
    const callee = this.pop()
    if (!(callee instanceof PickleGlobal) || callee.call === undefined || !Array.isArray(values)) {
      throw new FormatError(`it calls ${callee instanceof PickleGlobal ? callee.name : 'what is no function'}`)
    }
    this.count()
    this.push(callee.call(values))
  }

  build(): void {
    this.pop()
    // An OrderedDict's attributes, such as the `_metadata` of a state_dict: versions of layers.
    this.peek(isMap, 'a dictionary (BUILD)')
  }

  setItems(target: Map<unknown, unknown>, values: readonly unknown[]): void {
    if (values.length % 2 !== 0) throw new FormatError('it has a key without a value')
    for (let i = 0; i < values.length; i += 2) target.set(values[i], values[i + 1])
  }
}

/** Also a tuple. */
export const isList = (value: unknown): value is unknown[] => Array.isArray(value)
export const isMap = (value: unknown): value is Map<unknown, unknown> => value instanceof Map
