/** @file Reading JSON from outside into types, each check with a message that names the place. */
import { FormatError } from '../errors.js'
import { shownName } from './weight-source.js'

/** An object, without the key that could reach its prototype. */
export function asRecord(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FormatError(`${what} must be an object`)
  }
  if (Object.hasOwn(value, '__proto__')) throw new FormatError(`${what} has a key that is not allowed: __proto__`)
  return value as Record<string, unknown>
}

/** A list of at most `most` entries. */
export function asArray(value: unknown, what: string, most: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new FormatError(`${what} must be a list`)
  if (value.length > most) throw new FormatError(`${what} has ${value.length} entries, at most ${most} are allowed`)
  return value
}

/** A whole number of at least `least`. */
export function asWhole(value: unknown, what: string, least: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    throw new FormatError(`${what} must be a whole number of at least ${least}`)
  }
  return value
}

export function asNumber(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new FormatError(`${what} must be a number`)
  return value
}

export function asString(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new FormatError(`${what} must be a text`)
  return value
}

/** A text that can be a name: not empty, not long. */
export function asName(value: unknown, what: string): string {
  const name = asString(value, what)
  if (name.length === 0 || name.length > 1000) throw new FormatError(`${what} must have 1 to 1000 characters`)
  return name
}

/** More than any description needs. What a list, an object or a key becomes takes up to a hundred bytes, however short it is. */
const MAX_PARTS = 500_000
const MAX_DEPTH = 100

/**
 * The value of a JSON text, in which no object has a key twice: readers differ in which of the two they take.
 * @throws FormatError for what is none, or would take far more memory than the text
 */
export function parseJson(text: string, what: string): unknown {
  checkParts(text, what)
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new FormatError(`${what} is not JSON`)
  }
}

function checkParts(text: string, what: string): void {
  let parts = 0
  // The last text that has ended, with its quotes.
  let [start, end] = [0, 0]
  /** Of each object that is open its keys; a list has none. */
  const open: (Set<string> | undefined)[] = []
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '"') {
      start = i
      end = i = endOfText(text, i)
    } else if (character === '}' || character === ']') {
      open.pop()
    } else if (character === ':' || character === '{' || character === '[') {
      if (++parts > MAX_PARTS) throw new FormatError(`${what} has more than ${MAX_PARTS} lists, objects and keys`)
      if (character === ':') {
        checkKey(open.at(-1), text.slice(start, end + 1), what)
      } else {
        open.push(character === '{' ? new Set() : undefined)
        if (open.length > MAX_DEPTH) throw new FormatError(`${what} is more than ${MAX_DEPTH} lists deep`)
      }
    }
  }
}

/** Where the quote is that ends the text that begins at `start`. */
function endOfText(text: string, start: number): number {
  let i = start + 1
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1
  return i
}

/** @param quoted as it stands: the same key can be written in two ways */
function checkKey(keys: Set<string> | undefined, quoted: string, what: string): void {
  const key = quoted.includes('\\') ? unescaped(quoted) : quoted.slice(1, -1)
  if (keys?.has(key)) throw new FormatError(`${what} has the key '${shownName(key)}' twice`)
  keys?.add(key)
}

function unescaped(quoted: string): string {
  try {
    return String(JSON.parse(quoted))
  } catch {
    // It is no JSON, and found to be none when the whole is read.
    return quoted
  }
}
