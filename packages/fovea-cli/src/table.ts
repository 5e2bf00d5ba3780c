/** @file Tables of text that fit a terminal. */

export interface Column {
  readonly title: string
  /** Numbers stand right. Default 'left'. */
  readonly align?: 'left' | 'right'
  /** Too wide a table is narrowed here first. At most one column. */
  readonly shrink?: boolean
}

const gap = 2
const narrowest = 8

/** Rows under titles with a rule between. A `shrink` column loses letters (`layer1…conv1`) until the table fits `width`. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[], width = 100): string {
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...rows.map(row => row[i].length)))
  const total = widths.reduce((sum, w) => sum + w, 0) + gap * (columns.length - 1)
  const shrinking = columns.findIndex(({ shrink }) => shrink)
  if (shrinking >= 0 && total > width) widths[shrinking] = Math.max(narrowest, widths[shrinking] - (total - width))
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

/** The ends of a name tell most about it. */
function cutMiddle(text: string, width: number): string {
  if (text.length <= width) return text
  const head = Math.floor((width - 1) / 2)
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`
}
