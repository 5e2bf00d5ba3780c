/** @file An account as one HTML file that needs no other: the table, and what each layer has lost as a picture. */
import { colors, document, escapeText, fit, rect, text } from '../reports/svg.js'
import type { BeforeAndAfter } from './account.js'
import { accountRows, notes } from './table.js'

/** A layer, or channels that go together: how many there were, and are. */
export interface LayerAccount {
  readonly name: string
  readonly before: number
  readonly after: number
}

const style = `body { font: 15px system-ui, sans-serif; color: ${colors.ink}; max-width: 960px; margin: 40px auto; padding: 0 20px }
table { border-collapse: collapse } td, th { padding: 4px 14px; border-bottom: 1px solid ${colors.rule}; text-align: right }
td:first-child { text-align: left } p { color: ${colors.muted} } svg { max-width: 100% }`

/** @param unit what is counted of layers: `channels` */
export const accountPage = (
  title: string,
  account: BeforeAndAfter,
  layers: readonly LayerAccount[],
  unit: string,
): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escapeText(title)}</title>
<style>${style}</style>
<h1>${escapeText(title)}</h1>
<table>
${accountRows(account)}
</table>
${notes(account)
  .map(note => `<p>${escapeText(note)}</p>`)
  .join('\n')}
<h2>What is left of each layer</h2>
${layersPicture(layers, unit)}
</html>
`

const nameWidth = 300
const barWidth = 480
const rowHeight = 22

/** A bar for each layer: what is left of it, in front of what was. */
function layersPicture(layers: readonly LayerAccount[], unit: string): string {
  const width = nameWidth + barWidth + 180
  const rows = layers.map(({ name, before, after }, i) => {
    const y = 10 + i * rowHeight
    const bar = { x: nameWidth, y, width: barWidth, height: rowHeight - 6 }
    return [
      text(nameWidth - 10, y + 13, fit(name, nameWidth - 20), { anchor: 'end' }),
      rect(bar, `fill="${colors.rule}"`),
      rect({ ...bar, width: (barWidth * after) / before }, `fill="${colors.training}"`),
      text(nameWidth + barWidth + 10, y + 13, `${after} of ${before} ${unit}`, { color: colors.muted }),
    ].join('')
  })
  return document(width, 20 + layers.length * rowHeight, rows.join(''))
}
