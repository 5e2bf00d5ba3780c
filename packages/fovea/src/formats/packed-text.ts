/**
 * @file A long text made small for a file's metadata, where only text may stand: deflated (RFC 1951), in base64. What a graph
 * says of itself repeats itself: of a small model in integers, it would be an eighth of the file.
 */
import { deflateSync, Inflate, strFromU8, strToU8 } from 'fflate'
import { FormatError } from '../errors.js'

/** No graph is longer; a file that claims more is refused before its text takes the memory. */
const MOST_BYTES = 16 << 20
/** So much is inflated at a time: to a thousand times as much, at most. */
const STEP = 4096

/**
 * Equal texts become equal ones.
 * @throws FormatError for one that is too long to be read again
 */
export function packText(text: string): string {
  const bytes = strToU8(text)
  if (bytes.length > MOST_BYTES) {
    throw new FormatError(
      `a graph of ${bytes.length} bytes, at most ${MOST_BYTES} are read: is there a large constant?`,
    )
  }
  return btoa(strFromU8(deflateSync(bytes, { level: 9 }), true))
}

/**
 * The text of what `packText` gave, from anywhere.
 * @param what for messages
 * @throws FormatError for what is damaged, or too long
 */
export function unpackText(packed: string, what: string): string {
  const parts: Uint8Array[] = []
  let [length, isWhole] = [0, false]
  const inflate = new Inflate((part, last) => {
    parts.push(part)
    length += part.length
    isWhole = last
  })
  try {
    const bytes = strToU8(atob(packed), true)
    for (let at = 0; at < bytes.length && length <= MOST_BYTES; at += STEP) {
      inflate.push(bytes.subarray(at, at + STEP), at + STEP >= bytes.length)
    }
  } catch {
    throw new FormatError(`${what} is damaged: it cannot be unpacked`)
  }
  if (length > MOST_BYTES) throw new FormatError(`${what} is longer than ${MOST_BYTES >> 20} MiB`)
  if (!isWhole) throw new FormatError(`${what} is damaged: it cannot be unpacked`)
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return strFromU8(whole)
}
