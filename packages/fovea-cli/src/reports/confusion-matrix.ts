/** @file The confusion matrix: which class was taken for which, as shaded cells with the counts in them. */
import { type Box, colors, rect, shorten, text } from './svg.js'

/** Above this many classes, cells are too small for numbers and names. */
const labelledClasses = 20
const nameLength = 12

/** Rows are true classes, columns predictions; a cell's shade is its share of the row, so that small classes count too. */
export function confusionMatrix(counts: readonly (readonly number[])[], classes: readonly string[], box: Box): string {
  const n = counts.length
  const labelled = n <= labelledClasses
  const margin = labelled ? 100 : 24
  const titleHeight = 28
  const cell = Math.min((box.width - margin) / n, (box.height - margin - titleHeight) / n)
  const left = box.x + margin
  const top = box.y + titleHeight
  const parts = [
    text(box.x, box.y + 13, 'Confusion matrix', { size: 15, weight: 'bold' }),
    text(left + n * cell, box.y + 13, 'row: what it is · column: what was seen', {
      size: 12,
      color: colors.muted,
      anchor: 'end',
    }),
  ]
  counts.forEach((row, i) => {
    const total = row.reduce((sum, count) => sum + count, 0)
    row.forEach((count, j) => {
      const share = total > 0 ? count / total : 0
      // The square root keeps rare mistakes visible beside a strong diagonal.
      const shade = count === 0 ? 0 : 0.08 + 0.92 * Math.sqrt(share)
      const place = { x: left + j * cell, y: top + i * cell, width: cell - 1, height: cell - 1 }
      const color = i === j ? colors.training : colors.wrong
      parts.push(rect(place, 'fill="#f6f8fa"'))
      if (count === 0) return
      parts.push(rect(place, `fill="${color}" fill-opacity="${shade.toFixed(3)}"`))
      if (labelled) {
        parts.push(
          text(place.x + cell / 2, place.y + cell / 2 + 4, String(count), {
            size: Math.min(13, cell * 0.36),
            color: shade > 0.55 ? colors.paper : colors.ink,
            anchor: 'middle',
          }),
        )
      }
    })
    if (!labelled) return
    const name = shorten(classes[i], nameLength)
    parts.push(text(left - 8, top + (i + 0.5) * cell + 4, name, { size: 12, anchor: 'end' }))
    parts.push(text(left + (i + 0.5) * cell + 4, top + n * cell + 10, name, { size: 12, anchor: 'end', rotate: -45 }))
  })
  return parts.join('')
}
