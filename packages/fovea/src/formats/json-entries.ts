/**
 * @file The entries of a JSON object in bytes, one after another: a text of the whole would take twice its length in memory, and what
 * that becomes far more. Each is parsed when it is asked for.
 */
import { FormatError } from '../errors.js'
import { shownName } from './weight-source.js'

/** Of a key, which may be written as \uXXXX. */
const MAX_KEY_BYTES = 6000

const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c]
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d]
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/**
 * @param what the object, for messages
 * @returns keys, each of them once, and the bytes of their values, which need not be JSON
 * @throws FormatError, while it is walked, for what is no object, and for a key that stands twice or is longer than a name
 */
export function* jsonEntries(bytes: Uint8Array, what: string): Generator<readonly [key: string, value: Uint8Array]> {
  const expected = (at: number, ...wanted: readonly number[]): number => {
    if (wanted.includes(bytes[at])) return bytes[at]
    throw new FormatError(`${what} is not JSON`)
  }
  let at = afterSpaces(bytes, 0)
  if (bytes[at] !== OPEN) throw new FormatError(`${what} is no JSON object`)
  at = afterSpaces(bytes, at + 1)
  const keys = new Set<string>()
  if (bytes[at] === CLOSE) at = afterSpaces(bytes, at + 1)
  else {
    for (let next = COMMA; next === COMMA; ) {
      expected(at, QUOTE)
      const keyEnd = endOfText(bytes, at)
      const key = keyOf(bytes.subarray(at, keyEnd), what)
      if (keys.has(key)) throw new FormatError(`${what} has the key '${shownName(key)}' twice`)
      keys.add(key)
      at = afterSpaces(bytes, keyEnd)
      expected(at, COLON)
      at = afterSpaces(bytes, at + 1)
      const end = endOfValue(bytes, at)
      yield [key, bytes.subarray(at, end)]
      at = afterSpaces(bytes, end)
      next = expected(at, COMMA, CLOSE)
      at = afterSpaces(bytes, at + 1)
    }
  }
  if (at < bytes.length) throw new FormatError(`${what} is not JSON`)
}

/** A text from a part of JSON. @throws FormatError for what is not UTF-8 */
export function textOf(bytes: Uint8Array, what: string): string {
  try {
    // A byte order mark is no part of JSON, and is not to be dropped.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new FormatError(`${what} is not UTF-8`)
  }
}

function keyOf(quoted: Uint8Array, what: string): string {
  if (quoted.length > MAX_KEY_BYTES) {
    throw new FormatError(`${what} has a key of ${quoted.length} bytes, at most ${MAX_KEY_BYTES} are read`)
  }
  const text = textOf(quoted, what)
  try {
    return String(JSON.parse(text))
  } catch {
    throw new FormatError(`${what} is not JSON`)
  }
}

function afterSpaces(bytes: Uint8Array, at: number): number {
  let i = at
  while (i < bytes.length && isSpace(bytes[i])) i++
  return i
}

/** Behind the quote that ends the text that begins at `start`. */
function endOfText(bytes: Uint8Array, start: number): number {
  let i = start + 1
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1
  return Math.min(i + 1, bytes.length)
}

/** Behind a value: what closes what it opens, or before what can follow it. */
function endOfValue(bytes: Uint8Array, start: number): number {
  let depth = 0
  for (let i = start; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === QUOTE) {
      i = endOfText(bytes, i) - 1
      if (depth === 0) return i + 1
    } else if (byte === OPEN || byte === OPEN_LIST) depth++
    else if (byte === CLOSE || byte === CLOSE_LIST) {
      if (depth === 0) return i
      if (--depth === 0) return i + 1
    } else if (depth === 0 && (byte === COMMA || isSpace(byte))) return i
  }
  return bytes.length
}
