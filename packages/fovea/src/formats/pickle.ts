/**
 * @file Python's pickles, read by a machine of our own (pickle-machine.ts). A pickle is a program: Python's own reader runs
 * whatever functions it names. Opcodes are those of Python's `pickletools`.
 */
import { FormatError } from '../errors.js'
import { isList, isMap, type PickleHost, PickleMachine } from './pickle-machine.js'
import { shownName } from './weight-source.js'

/** Far more than a file of weights has; each step may keep some dozens of bytes. */
const MAX_STEPS = 2_000_000

/** Little-endian, two's complement; a number where it is exact as one. */
function longOf(bytes: Uint8Array): number | bigint {
  if (bytes.length > 16) throw new FormatError(`it has a number of ${bytes.length} bytes`)
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i])
  return exact(BigInt.asIntN(8 * bytes.length, value))
}

const exact = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value)

function decimal(text: string): number | bigint {
  if (!/^-?\d{1,40}L?$/.test(text)) throw new FormatError(`it has '${shownName(text)}' for a number`)
  return exact(BigInt(text.replace('L', '')))
}

const refused = (opcode: string) => (): void => {
  throw new FormatError(`it makes an object (${opcode}), which a file of weights does not need`)
}

/** By opcode; STOP is the loop's. */
const operations: Readonly<Record<string, (machine: PickleMachine) => void>> = {
  '\x80': m => void m.whole(1), // PROTO
  '\x95': m => void m.whole(8), // FRAME
  '(': m => m.mark(),
  '0': m => (m.stack.length === 0 && m.below.length > 0 ? void m.popMark() : void m.pop()),
  '1': m => void m.popMark(),
  '2': m => {
    const value = m.pop()
    m.stack.push(value, value)
  },
  N: m => m.push(null),
  '\x88': m => m.push(true),
  '\x89': m => m.push(false),
  I: m => {
    const text = m.line()
    m.push(text === '00' ? false : text === '01' ? true : decimal(text))
  },
  J: m => m.push(m.signed()),
  K: m => m.push(m.whole(1)),
  M: m => m.push(m.whole(2)),
  L: m => m.push(decimal(m.line())),
  '\x8a': m => m.push(longOf(m.take(m.whole(1)))),
  '\x8b': m => m.push(longOf(m.take(m.whole(4)))),
  F: m => m.push(Number(m.line())),
  G: m => m.push(m.float()),
  U: m => m.push(m.oldText(m.whole(1))),
  T: m => m.push(m.oldText(m.whole(4))),
  X: m => m.push(m.text(m.whole(4))),
  '\x8c': m => m.push(m.text(m.whole(1))),
  '\x8d': m => m.push(m.text(m.whole(8))),
  C: m => m.push(m.take(m.whole(1))),
  B: m => m.push(m.take(m.whole(4))),
  '\x8e': m => m.push(m.take(m.whole(8))),
  ']': m => m.container([]),
  l: m => m.container(m.popMark()),
  a: m => {
    const value = m.pop()
    m.peek(isList, 'a list').push(value)
  },
  e: m => {
    const values = m.popMark()
    const list = m.peek(isList, 'a list')
    for (const value of values) list.push(value)
  },
  ')': m => m.container([]),
  t: m => m.container(m.popMark()),
  '\x85': m => m.container([m.pop()]),
  '\x86': m => {
    const second = m.pop()
    m.container([m.pop(), second])
  },
  '\x87': m => {
    const [third, second] = [m.pop(), m.pop()]
    m.container([m.pop(), second, third])
  },
  '}': m => m.container(new Map()),
  d: m => {
    const values = m.popMark()
    const dictionary = new Map()
    m.container(dictionary)
    m.setItems(dictionary, values)
  },
  s: m => {
    const [value, key] = [m.pop(), m.pop()]
    m.peek(isMap, 'a dictionary').set(key, value)
  },
  u: m => {
    const values = m.popMark()
    m.setItems(m.peek(isMap, 'a dictionary'), values)
  },
  g: m => m.get(Number(decimal(m.line()))),
  h: m => m.get(m.whole(1)),
  j: m => m.get(m.whole(4)),
  p: m => m.put(Number(decimal(m.line()))),
  q: m => m.put(m.whole(1)),
  r: m => m.put(m.whole(4)),
  '\x94': m => m.put(m.memo.size),
  c: m => {
    const module = m.line()
    m.push(m.global(module, m.line()))
  },
  '\x93': m => {
    const name = m.pop()
    m.push(m.global(m.pop(), name))
  },
  Q: m => m.push(m.host.persistent(m.pop())),
  R: m => m.call(),
  b: m => m.build(),
  i: m => {
    const module = m.line()
    m.global(module, m.line())
    refused('INST')()
  },
  o: refused('OBJ'),
  '\x81': refused('NEWOBJ'),
  '\x92': refused('NEWOBJ_EX'),
  '\x82': refused('EXT1'),
  '\x83': refused('EXT2'),
  '\x84': refused('EXT4'),
}

/**
 * The value of the pickle that begins at `start`: null, booleans, numbers (bigint where they are too large), texts, bytes as
 * views, lists and tuples as arrays, dictionaries as maps, and what the host makes.
 * @returns it, and where the bytes after the pickle begin
 * @throws FormatError, with the place, for anything else
 */
export function readPickle(bytes: Uint8Array, start: number, host: PickleHost): { value: unknown; end: number } {
  const machine = new PickleMachine(bytes, host, start)
  for (let count = 0; ; count++) {
    const at = machine.at
    try {
      if (count > MAX_STEPS) throw new FormatError(`it has more than ${MAX_STEPS} steps`)
      const opcode = String.fromCharCode(machine.whole(1))
      if (opcode === '.') return { value: machine.pop(), end: machine.at }
      const operation = Object.hasOwn(operations, opcode) ? operations[opcode] : undefined
      if (operation === undefined) throw new FormatError(`it has the unknown opcode 0x${bytes[at].toString(16)}`)
      operation(machine)
    } catch (error) {
      throw error instanceof FormatError ? new FormatError(`byte ${at}: ${error.message}`) : error
    }
  }
}
