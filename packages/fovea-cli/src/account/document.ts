/** @file Documents of headings, tables and sentences: as Markdown, and as one HTML file that needs no other. */
import { printable } from '../printable.js'
import { colors, escapeText } from '../reports/svg.js'

/** The first is the head. */
export type TableRows = readonly (readonly string[])[]

/** The lines of a table. */
export function markdownTable([head, ...rows]: TableRows): string[] {
  const line = (row: readonly string[]): string =>
    `| ${row.map(cell => printable(cell.trim()).replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)]
}

/** On a narrow screen, tables and pictures keep their size and are moved sideways. */
const style = `body { font: 15px system-ui, sans-serif; color: ${colors.ink}; max-width: 960px; margin: 40px auto; padding: 0 20px }
h1 { overflow-wrap: anywhere } .wide { overflow-x: auto }
table { border-collapse: collapse } td, th { padding: 4px 14px; border-bottom: 1px solid ${colors.rule}; text-align: right }
td, th { white-space: nowrap } td:first-child, th:first-child { text-align: left; padding-left: 0 } p { color: ${colors.muted} }
svg { display: block; width: 100%; min-width: 640px; height: auto }`

/** @param body elements of HTML, in order */
export const htmlPage = (title: string, body: readonly string[]): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<style>${style}</style>
${[`<h1>${escapeText(title)}</h1>`, ...body].join('\n')}
</html>
`

export const htmlHeading = (text: string): string => `<h2>${escapeText(text)}</h2>`

export const htmlTable = (rows: TableRows): string =>
  wide(
    `<table>\n${rows
      .map((row, i) => {
        const tag = i === 0 ? 'th' : 'td'
        return `<tr>${row.map(cell => `<${tag}>${escapeText(cell).replace(/^ +/, '&emsp;')}</${tag}>`).join('')}</tr>`
      })
      .join('\n')}\n</table>`,
  )

/** @param svg a picture */
export const htmlPicture = (svg: string): string => wide(svg)

const wide = (content: string): string => `<div class="wide">${content}</div>`

export const htmlParagraphs = (sentences: readonly string[]): string[] =>
  sentences.map(sentence => `<p>${escapeText(sentence)}</p>`)
