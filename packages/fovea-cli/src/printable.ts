/** @file Names of files and classes as people may see them: what would move a cursor, or turn text around, is written out. */

/** Control characters, breaks of lines, marks that change the direction of what follows, and what is no character. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/gu

/** The text with what `write` makes of each character that must not be printed. */
export const escapeUnprintable = (text: string, write: (character: string) => string): string =>
  text.replace(UNPRINTABLE, write)

/** `a\x1b[2Jb` for a name that would clear the screen: one line, whatever is in it. */
export const printable = (text: string): string => escapeUnprintable(text, written)

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function written(character: string): string {
  const code = character.charCodeAt(0)
  return short[character] ?? (code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : byCode(character))
}

/** `\\u009b`, as JSON has it too. */
const byCode = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** JSON that says the same in characters that can be printed. */
export const printableJson = (value: unknown): string => escapeUnprintable(JSON.stringify(value), byCode)

/** Several lines, each printable. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')
