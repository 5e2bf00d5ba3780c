/** @file An account as one HTML file that needs no other: the table, and what each layer has lost as a picture. */

import { colors, document, escapeText, fit, rect, text } from '../reports/svg.js'
import { tradeOffPlot } from '../reports/trade-off-picture.js'
import type { BeforeAndAfter } from './account.js'
import { accountRows, htmlRows, notes } from './table.js'
import { TRIED, type TradeOff, tradeOffRows } from './trade-off.js'

/** A layer, or channels that go together: how many there were, and are. */
export interface LayerAccount {
  readonly name: string
  readonly before: number
  readonly after: number
}

const style = `body { font: 15px system-ui, sans-serif; color: ${colors.ink}; max-width: 960px; margin: 40px auto; padding: 0 20px }
table { border-collapse: collapse } td, th { padding: 4px 14px; border-bottom: 1px solid ${colors.rule}; text-align: right }
td:first-child { text-align: left } p { color: ${colors.muted} } svg { max-width: 100% }`

export interface AccountPageParts {
  readonly layers: readonly LayerAccount[]
  /** What is counted of layers: `channels` */
  readonly unit: string
  /** Where several models were tried. */
  readonly tradeOff?: TradeOff
}

export const accountPage = (
  title: string,
  account: BeforeAndAfter,
  { layers, unit, tradeOff }: AccountPageParts,
): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escapeText(title)}</title>
<style>${style}</style>
<h1>${escapeText(title)}</h1>
<table>
${accountRows(account)}
</table>
${paragraphs(notes(account))}
${tradeOff ? tradeOffSection(tradeOff) : ''}<h2>What is left of each layer</h2>
${layersPicture(layers, unit)}
</html>
`

const paragraphs = (sentences: readonly string[]): string =>
  sentences.map(sentence => `<p>${escapeText(sentence)}</p>`).join('\n')

const tradeOffSection = (tradeOff: TradeOff): string => `<h2>${TRIED}</h2>
${tradeOffPlot(tradeOff)}
<table>
${htmlRows(tradeOffRows(tradeOff))}
</table>
${paragraphs(tradeOff.asked)}
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
