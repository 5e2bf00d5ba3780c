/** @file A comparison in a folder, in all its forms: as JSON, as Markdown, and as a page that needs no other file. */
import { join } from 'node:path'
import { htmlHeading, htmlPage, htmlParagraphs, htmlPicture, htmlTable, markdownTable } from '../account/document.js'
import { writeFileAtomic } from '../files.js'
import { printable } from '../printable.js'
import { tradeOffPlot, tradeOffTitle } from '../reports/trade-off-picture.js'
import { plotsOf } from './fronts.js'
import type { ComparedModel } from './rows.js'
import type { Section } from './tables.js'

/** The page is the last. */
export const comparisonFiles = (folder: string): [json: string, markdown: string, html: string] => [
  ...([join(folder, 'comparison.json'), join(folder, 'comparison.md'), join(folder, 'comparison.html')] as const),
]

export interface Comparison {
  readonly title: string
  /** What was compared, and where: a sentence each. */
  readonly about: readonly string[]
  readonly sections: readonly Section[]
  readonly models: readonly ComparedModel[]
  /** As JSON has it. */
  readonly result: object
}

export async function writeComparison(folder: string, comparison: Comparison): Promise<void> {
  const [json, markdown, html] = comparisonFiles(folder)
  await writeFileAtomic(markdown, markdownOf(comparison))
  await writeFileAtomic(html, pageOf(comparison))
  await writeFileAtomic(json, `${JSON.stringify(comparison.result, null, 2)}\n`)
}

const rowsOf = ({ columns, rows }: Section): string[][] => [
  columns.map(({ title }) => title),
  ...rows.map(row => [...row]),
]

const markdownOf = ({ title, about, sections }: Comparison): string =>
  [
    `# ${printable(title)}`,
    '',
    ...about.map(sentence => `- ${printable(sentence)}`),
    ...sections.flatMap(section => [
      ...['', `## ${section.title}`, '', ...markdownTable(rowsOf(section))],
      ...(section.notes.length > 0 ? ['', section.notes.join('\n')] : []),
    ]),
    '',
  ].join('\n')

const pageOf = ({ title, about, sections, models }: Comparison): string =>
  htmlPage(title, [
    ...htmlParagraphs(about),
    ...plotsOf(models).flatMap(plot => [htmlHeading(tradeOffTitle(plot)), htmlPicture(tradeOffPlot(plot))]),
    ...sections.flatMap(section => [
      htmlHeading(section.title),
      htmlTable(rowsOf(section)),
      ...(section.notes.length > 0 ? htmlParagraphs([section.notes.join(' ')]) : []),
    ]),
  ])
