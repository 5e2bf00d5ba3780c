/** @file Names of files and classes as people may see them: what would move a cursor, or turn text around, is written out. */

/** Control characters, breaks of lines, marks that change the direction of what follows, and halves of characters. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu

/** The text with what `write` makes of each character that must not be printed. */
export const escapeUnprintable = (text: string, write: (character: string) => string): string =>
  text.replace(UNPRINTABLE, write)

/** `a\x1b[2Jb` for a name that would clear the screen: one line, whatever is in it. */
export const printable = (text: string): string => escapeUnprintable(text, written)

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function written(character: string): string {
  const code = character.charCodeAt(0)
  const hex = code.toString(16)
  return short[character] ?? (code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`)
}
