/** @file An account as one HTML file that needs no other: the table, and what each layer has lost as a picture. */

import { colors, document, fit, rect, text } from '../reports/svg.js'
import { tradeOffPlot } from '../reports/trade-off-picture.js'
import type { BeforeAndAfter } from './account.js'
import { htmlHeading, htmlPage, htmlParagraphs, htmlPicture, htmlTable } from './document.js'
import { accountRows, notes } from './table.js'
import { costPlot, TRIED, type TradeOff, tradeOffRows } from './trade-off.js'

/** A layer, or channels that go together: how many there were, and are. */
export interface LayerAccount {
  readonly name: string
  readonly before: number
  readonly after: number
}

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
): string =>
  htmlPage(title, [
    htmlTable(accountRows(account)),
    ...htmlParagraphs(notes(account)),
    ...(tradeOff ? tradeOffSection(tradeOff) : []),
    htmlHeading('What is left of each layer'),
    htmlPicture(layersPicture(layers, unit)),
  ])

const tradeOffSection = (tradeOff: TradeOff): string[] => [
  htmlHeading(TRIED),
  htmlPicture(tradeOffPlot(costPlot(tradeOff))),
  htmlTable(tradeOffRows(tradeOff)),
  ...htmlParagraphs(tradeOff.asked),
]

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
