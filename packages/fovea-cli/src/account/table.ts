/** @file An account in words: a line for each quantity, before, after and how they compare; as text, Markdown and HTML. */
import { formatBytes } from 'fovea'
import { percent, withCommas } from '../output.js'
import { printable } from '../printable.js'
import { escapeText } from '../reports/svg.js'
import { formatTable } from '../table.js'
import type { Account, BeforeAndAfter } from './account.js'

/** A quantity: what it is called, its value in words, and what is compared of it. */
interface Quantity {
  readonly name: string
  readonly cell: (account: Account) => string
  /** Their ratio is shown, or their difference in points. */
  readonly ratio?: (account: Account) => number
  readonly points?: (account: Account) => number
}

export const milliseconds = (ms: number): string => `${ms < 100 ? ms.toPrecision(3) : Math.round(ms)} ms`

const quantities: readonly Quantity[] = [
  { name: 'parameters', cell: row => withCommas(row.parameters), ratio: row => row.parameters },
  { name: '  kept', cell: row => withCommas(row.kept), ratio: row => row.kept },
  { name: '  removed', cell: row => withCommas(row.removed) },
  { name: 'weights in float32', cell: row => formatBytes(row.bytes.float32), ratio: row => row.bytes.float32 },
  { name: 'weights in 16 bits', cell: row => formatBytes(row.bytes.bfloat16 + row.bytes.float16) },
  { name: 'weights in integers', cell: row => formatBytes(row.bytes.int8 + (row.bytes.int32 ?? 0)) },
  { name: 'file', cell: row => formatBytes(row.fileBytes), ratio: row => row.fileBytes },
  { name: 'multiply-adds', cell: row => withCommas(row.multiplyAdds), ratio: row => row.multiplyAdds },
  {
    name: 'activations at once',
    cell: row => formatBytes(row.peakActivationBytes),
    ratio: row => row.peakActivationBytes,
  },
  { name: 'latency of one image', cell: row => milliseconds(row.latencyMs), ratio: row => row.latencyMs },
  {
    name: 'images a second',
    cell: ({ throughput }) => withCommas(Math.round(throughput.imagesPerSecond)),
    ratio: row => row.throughput.imagesPerSecond,
  },
  { name: 'accuracy', cell: row => percent(row.accuracy), points: row => row.accuracy },
  { name: '  95 % interval', cell: ({ accuracyInterval: [low, high] }) => `${percent(low)} to ${percent(high)}` },
  { name: 'calibration error', cell: row => percent(row.calibrationError), points: row => row.calibrationError },
  {
    name: 'predictions changed',
    cell: row => `${withCommas(row.changedPredictions)} of ${withCommas(row.images)}`,
  },
]

const titles = ['', 'before', 'after', ''] as const

/** A quantity that neither has is left out. */
function cells({ before, after }: BeforeAndAfter): string[][] {
  return quantities.flatMap(({ name, cell, ratio, points }) => {
    const [was, is] = [cell(before), cell(after)]
    if (was === formatBytes(0) && is === was) return []
    const times = ratio && ratio(before) > 0 ? `${(ratio(after) / ratio(before)).toFixed(2)}×` : ''
    return [[name, was, is, points ? pointsOf(points(after) - points(before)) : times]]
  })
}

/** A difference of two fractions: `−0.3 points` */
export function pointsOf(difference: number): string {
  const value = (100 * difference).toFixed(1)
  return `${Number(value) > 0 ? '+' : ''}${value.replace('-', '−')} points`
}

/** What the lines leave open. */
export function notes({ before: { throughput, images }, after }: BeforeAndAfter): string[] {
  const sparse = after.kept < after.parameters
  return [
    `latency, images a second (${throughput.batch} at a time): medians of steps that both made in turns.`,
    `accuracy: of ${withCommas(images)} images. activations at once: of one image.`,
    ...(sparse
      ? ['Weights that are 0 make the file smaller; dense arithmetic computes with them, and gains no time.']
      : []),
  ]
}

/** For a terminal. */
export const accountText = (account: BeforeAndAfter): string =>
  [
    formatTable(
      titles.map((title, i) => ({ title, ...(i > 0 && { align: 'right' as const }) })),
      cells(account),
    ),
    '',
    ...notes(account),
  ].join('\n')

/** For a report in Markdown. */
export const accountMarkdown = (title: string, account: BeforeAndAfter): string =>
  [
    `# ${printable(title)}`,
    '',
    ...markdownTable([[...titles], ...cells(account)]),
    '',
    ...notes(account).map(note => `- ${note}`),
    '',
  ].join('\n')

/** Its lines; the first row is the head. */
export function markdownTable([head, ...rows]: readonly (readonly string[])[]): string[] {
  const line = (row: readonly string[]): string =>
    `| ${row.map(cell => printable(cell.trim()).replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)]
}

/** Rows of an HTML table. */
export const accountRows = (account: BeforeAndAfter): string => htmlRows([[...titles], ...cells(account)])

/** The first row is the head. */
export const htmlRows = (rows: readonly (readonly string[])[]): string =>
  rows
    .map((row, i) => {
      const tag = i === 0 ? 'th' : 'td'
      return `<tr>${row.map(cell => `<${tag}>${escapeText(cell).replace(/^ +/, '&emsp;')}</${tag}>`).join('')}</tr>`
    })
    .join('\n')
