/** @file Reading JSON from outside into types, each check with a message that names the place. */
import { FormatError } from '../errors.js'

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

/** The value of a JSON text. @throws FormatError for what is none, or would take far more memory than the text */
export function parseJson(text: string, what: string): unknown {
  checkParts(text, what)
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new FormatError(`${what} is not JSON`)
  }
}

const [QUOTE, BACKSLASH, COLON] = [...'"\\:'].map(character => character.charCodeAt(0))
const OPENS = [...'[{'].map(character => character.charCodeAt(0))
const CLOSES = [...']}'].map(character => character.charCodeAt(0))

function checkParts(text: string, what: string): void {
  let [parts, depth, isQuoted] = [0, 0, false]
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) isQuoted = !isQuoted
    else if (isQuoted) i += code === BACKSLASH ? 1 : 0
    else if (CLOSES.includes(code)) depth--
    else if (code === COLON || OPENS.includes(code)) {
      if (++parts > MAX_PARTS) throw new FormatError(`${what} has more than ${MAX_PARTS} lists, objects and keys`)
      if (code !== COLON && ++depth > MAX_DEPTH) throw new FormatError(`${what} is more than ${MAX_DEPTH} lists deep`)
    }
  }
}
