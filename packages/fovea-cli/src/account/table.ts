/** @file An account in words: a line for each quantity, before, after and how they compare; as text and Markdown. */
import { formatBytes } from 'fovea'
import { withCommas } from '../output.js'
import { printable } from '../printable.js'
import { formatTable } from '../table.js'
import type { BeforeAndAfter } from './account.js'
import { markdownTable } from './document.js'
import { floatOperatorsText } from './float-operators.js'
import type { ParameterAccount } from './parameters.js'
import { type Quantity, quantities } from './quantities.js'
import { slowerNotes } from './slower.js'

const lines: readonly Quantity[] = [
  ...[quantities.parameters, quantities.kept, quantities.removed, quantities.folded],
  ...[quantities.asFloats, quantities.asIntegers],
  ...[quantities.float32, quantities.sixteenBits, quantities.integers, quantities.file],
  ...[quantities.multiplyAdds, quantities.atOnce, quantities.latency, quantities.throughput],
  ...[quantities.accuracy, quantities.interval, quantities.calibrationError, quantities.changed],
]

/** Left out where both have none. */
const seldom: ReadonlySet<string> = new Set([quantities.folded.name, quantities.asIntegers.name])

const titles = ['', 'before', 'after', ''] as const

/** Its rows, the head first. A quantity that neither has is left out. */
export function accountRows({ before, after }: BeforeAndAfter): string[][] {
  const rows = lines.flatMap(({ name, cell, ratio, points }) => {
    const [was, is] = [cell(before), cell(after)]
    if (is === was && (was === formatBytes(0) || (was === '0' && seldom.has(name)))) return []
    const times = ratio && ratio(before) > 0 ? `${(ratio(after) / ratio(before)).toFixed(2)}×` : ''
    return [[name, was, is, points ? pointsOf(points(after) - points(before)) : times]]
  })
  return [[...titles], ...rows]
}

/** A difference of two fractions: `−0.3 points`; what rounds to none has no sign. */
export function pointsOf(difference: number): string {
  const value = Number((100 * difference).toFixed(1))
  return `${value > 0 ? '+' : value < 0 ? '−' : ''}${Math.abs(value).toFixed(1)} points`
}

/** That zeros make a file smaller and nothing faster. */
export const ABOUT_ZEROS =
  'Weights that are 0 make the file smaller; dense arithmetic computes with them, and gains no time.'

/** What the lines leave open. */
export function notes({ before, after }: BeforeAndAfter): string[] {
  const { throughput, images } = before
  const { floatOperators = [] } = after
  return [
    `latency, images a second (${throughput.batch} at a time): medians of steps that both made in turns.`,
    `accuracy: of ${withCommas(images)} images. activations at once: of one image.`,
    ...(after.kept < after.parameters ? [ABOUT_ZEROS] : []),
    ...(floatOperators.length > 0 ? [`still computed in float32: ${floatOperatorsText(floatOperators)}.`] : []),
    ...slowerNotes(before, after),
  ]
}

/** For a terminal. */
export function accountText(account: BeforeAndAfter): string {
  const [head, ...rows] = accountRows(account)
  const columns = head.map((title, i) => ({ title, ...(i > 0 && { align: 'right' as const }) }))
  return [formatTable(columns, rows), '', ...notes(account)].join('\n')
}

/** For a report in Markdown: with what became of each tensor of parameters. */
export const accountMarkdown = (
  title: string,
  account: BeforeAndAfter,
  parameters: readonly ParameterAccount[],
): string =>
  [
    `# ${printable(title)}`,
    '',
    ...markdownTable(accountRows(account)),
    '',
    ...notes(account).map(note => `- ${note}`),
    '',
    '## Parameters',
    '',
    ...markdownTable([
      ['', 'type', 'before', 'kept', 'removed'],
      ...parameters.map(({ name, dtype = '', parameters: before, kept, removed }) => [
        ...[name, dtype],
        ...[before, kept, removed].map(withCommas),
      ]),
    ]),
    '',
  ].join('\n')
