/** @file Commands that a message tells to type: what is pasted into a shell means what was meant. */
import { escapeUnprintable, printable } from './printable.js'

/** `npx fovea` with its words, quoted where a shell would take them for something else. */
export const foveaCommand = (...words: readonly string[]): string => ['npx fovea', ...words.map(quoted)].join(' ')

/** One word of a POSIX shell. What cannot be printed is written as bash, zsh and POSIX 2024 read it: `$'a\012b'`. */
function quoted(word: string): string {
  if (/^[\w./:@%+=,-]+$/.test(word)) return word
  if (printable(word) === word) return `'${word.replaceAll("'", "'\\''")}'`
  return `$'${escapeUnprintable(word.replace(/[\\']/g, '\\$&'), octal)}'`
}

/** By its bytes: all these shells know three octal digits. */
const octal = (character: string): string =>
  [...new TextEncoder().encode(character)].map(byte => `\\${byte.toString(8).padStart(3, '0')}`).join('')
