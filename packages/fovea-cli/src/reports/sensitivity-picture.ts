/** @file The picture of what each layer bears: a row for each, its accuracy over the part of it that is gone. */
import type { PruningAnalysis } from 'fovea'
import { percent } from '../output.js'
import { headHeight, heading, margin } from './picture.js'
import { plotFrame, ticks } from './plot.js'
import { colors, document, fit, polyline, text } from './svg.js'

const width = 960
const columns = 3
const gap = 24
const cell = { width: (width - 2 * margin - (columns - 1) * gap) / columns, height: 150, head: 24 }

/** The picture as SVG: small plots of one scale, the layer that bears least first. @param unit what goes: `channels` */
export function sensitivityPicture(title: string, { accuracy, ratios, layers }: PruningAnalysis, unit: string): string {
  const worst = Math.min(accuracy, ...layers.flatMap(({ accuracies }) => accuracies))
  const marks = ticks(worst, accuracy, 3)
  const vertical = {
    low: marks[0],
    high: marks[marks.length - 1],
    marks,
    format: (value: number) => `${Math.round(100 * value)}`,
  }
  const horizontal = { low: 0, high: 1, marks: [0, 0.5, 1], format: (value: number) => `${Math.round(100 * value)}` }
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  const sorted = [...layers].sort((a, b) => sum(a.accuracies) - sum(b.accuracies))
  const plots = sorted.map(({ name, size, accuracies }, i) => {
    const x = margin + (i % columns) * (cell.width + gap)
    const y = headHeight + Math.floor(i / columns) * (cell.height + cell.head + gap)
    const box = { x, y: y + cell.head, width: cell.width, height: cell.height }
    const frame = plotFrame(box, horizontal, vertical)
    const points = [[0, accuracy] as const, ...ratios.map((ratio, j) => [ratio, accuracies[j]] as const)]
    const label = `${name} (${size})`
    return [
      text(x, y + 13, fit(label, cell.width, { weight: 'bold' }), { weight: 'bold' }),
      frame.svg,
      polyline(
        points.map(([ratio, value]) => [frame.x(ratio), frame.y(value)] as const),
        colors.training,
      ),
    ].join('')
  })
  const rows = Math.ceil(layers.length / columns)
  const subtitle = `accuracy in % over the % of ${unit} that one layer is without; the whole model has ${percent(accuracy)}`
  const height = headHeight + rows * (cell.height + cell.head + gap) + 10
  return document(width, height, heading(title, subtitle, width) + plots.join(''))
}
