/** @file Tables of text that fit a terminal. */
import { printable } from './printable.js'

export interface Column {
  readonly title: string
  /** Numbers stand right. Default 'left'. */
  readonly align?: 'left' | 'right'
  /** Too wide a table is narrowed here, down to so many letters; of several such columns, the last is the first to lose. */
  readonly shrinkTo?: number
}

const gap = 2

/** Rows under titles with a rule between. A `shrinkTo` column loses letters (`layer1…conv1`) until the table fits `width`. */
export function formatTable(columns: readonly Column[], content: readonly (readonly string[])[], width = 100): string {
  const rows = content.map(cells => cells.map(printable))
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...rows.map(row => row[i].length)))
  let excess = widths.reduce((sum, w) => sum + w, 0) + gap * (columns.length - 1) - width
  for (let i = columns.length - 1; i >= 0 && excess > 0; i--) {
    const lost = Math.min(excess, Math.max(0, widths[i] - (columns[i].shrinkTo ?? widths[i])))
    widths[i] -= lost
    excess -= lost
  }
  const format = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => {
        const fitted = cutMiddle(cell, widths[i])
        return columns[i].align === 'right' ? fitted.padStart(widths[i]) : fitted.padEnd(widths[i])
      })
      .join(' '.repeat(gap))
      .trimEnd()
  const rule = widths.map(w => '─'.repeat(w)).join(' '.repeat(gap))
  return [format(columns.map(({ title }) => title)), rule, ...rows.map(format)].join('\n')
}

/** The ends of a name tell most about it; of one with dots the last two parts (`features.1…block.2.fc1` has `2.fc1`). */
function cutMiddle(text: string, width: number): string {
  if (text.length <= width) return text
  const half = Math.ceil((width - 1) / 2)
  const parts = text.split('.').slice(-2).join('.').length
  const tail = parts < width - 1 ? Math.max(half, parts) : half
  return `${text.slice(0, width - 1 - tail)}…${text.slice(text.length - tail)}`
}
