/** @file The confusion matrix: which class was taken for which, as shaded cells with the counts in them. */
import { type Box, colors, fit, rect, text } from './svg.js'

/** Above this many classes, cells are too small for numbers and names. */
const labelledClasses = 20
const nameWidth = 92
const largestCell = 120

/** Rows are true classes, columns predictions; a cell's shade is its share of the row, so that small classes count too. */
export function confusionMatrix(counts: readonly (readonly number[])[], classes: readonly string[], box: Box): string {
  const n = counts.length
  const labelled = n <= labelledClasses
  const margin = labelled ? 100 : 0
  const titleHeight = 28
  const cell = Math.min((box.width - margin) / n, (box.height - margin - titleHeight) / n, largestCell)
  const gap = cell > 8 ? 1 : 0
  const left = box.x + margin
  const top = box.y + titleHeight
  const parts = [
    text(box.x, box.y + 13, 'Confusion matrix', { size: 15, weight: 'bold' }),
    text(Math.max(left + n * cell, box.x + 400), box.y + 13, 'row: what it is · column: what was seen', {
      size: 12,
      color: colors.muted,
      anchor: 'end',
    }),
    rect({ x: left, y: top, width: n * cell, height: n * cell }, `fill="${colors.empty}"`),
  ]
  // Wide and few, cells have a larger number; it never outgrows its cell.
  const digits = Math.max(...counts.flat().map(count => String(count).length))
  const size = Math.min(18, Math.max(13, cell * 0.16), cell * 0.42, (cell * 1.35) / digits)
  counts.forEach((row, i) => {
    const total = row.reduce((sum, count) => sum + count, 0)
    row.forEach((count, j) => {
      if (count === 0) return
      // The square root keeps rare mistakes visible beside a strong diagonal.
      const shade = 0.08 + 0.92 * Math.sqrt(count / total)
      const place = { x: left + j * cell, y: top + i * cell, width: cell - gap, height: cell - gap }
      const color = i === j ? colors.training : colors.wrong
      parts.push(rect(place, `fill="${color}" fill-opacity="${shade.toFixed(3)}"`))
      if (!labelled) return
      const ink = shade > 0.55 ? colors.paper : colors.ink
      const middle = { x: place.x + cell / 2, y: place.y + cell / 2 + size * 0.36 }
      parts.push(text(middle.x, middle.y, String(count), { size, color: ink, anchor: 'middle' }))
    })
    if (!labelled) return
    const name = fit(classes[i], nameWidth, { size: 12 })
    parts.push(text(left - 8, top + (i + 0.5) * cell + 4, name, { size: 12, anchor: 'end' }))
    parts.push(text(left + (i + 0.5) * cell + 4, top + n * cell + 10, name, { size: 12, anchor: 'end', rotate: -45 }))
  })
  if (gap > 0) {
    for (let i = 1; i < n; i++) {
      parts.push(rect({ x: left, y: top + i * cell - gap, width: n * cell, height: gap }, `fill="${colors.paper}"`))
      parts.push(rect({ x: left + i * cell - gap, y: top, width: gap, height: n * cell }, `fill="${colors.paper}"`))
    }
  }
  return parts.join('')
}
