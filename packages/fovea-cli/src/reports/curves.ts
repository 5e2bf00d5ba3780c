/** @file Learning curves: lines over epochs with a scale that people can read. */
import { legend, plotFrame, ticks } from './plot.js'
import { type Box, circle, polyline, text } from './svg.js'

export interface Series {
  readonly name: string
  readonly color: string
  /** One value an epoch; gaps (NaN) are left out. */
  readonly values: readonly number[]
}

export interface CurveOptions {
  readonly title: string
  /** How a number of the vertical axis is written. */
  readonly format: (value: number) => string
}

const titleHeight = 28

/** Lines with a legend; the vertical axis fits the values, the horizontal one counts epochs. */
export function curves(series: readonly Series[], box: Box, { title, format }: CurveOptions): string {
  const values = series.flatMap(({ values }) => values.filter(Number.isFinite))
  const marks = values.length > 0 ? ticks(Math.min(...values), Math.max(...values)) : [0, 1]
  const epochs = Math.max(1, ...series.map(({ values }) => values.length))
  const { svg, inner, x, y } = plotFrame(
    { ...box, y: box.y + titleHeight, height: box.height - titleHeight },
    { low: 1, high: epochs, marks: epochMarks(epochs), format: String, inset: 8 },
    { low: marks[0], high: marks[marks.length - 1], marks, format },
  )
  const lines = series.flatMap(({ values, color }) => {
    const points = values.map((value, i) => [x(i + 1), y(value)] as const).filter(([, py]) => Number.isFinite(py))
    // So many dots that they touch hide the line.
    const dots = epochs <= 60 ? points.map(([px, py]) => circle(px, py, 3, color)) : []
    return [polyline(points, color), ...dots]
  })
  const heading = text(box.x, box.y + 13, title, { size: 15, weight: 'bold' })
  return [heading, svg, ...lines, legend(series, inner.x + inner.width, box.y + 13)].join('')
}

/** Each of a few; of many the first and round ones. */
const epochMarks = (epochs: number): number[] =>
  epochs <= 12
    ? Array.from({ length: epochs }, (_, i) => i + 1)
    : [1, ...ticks(0, epochs, 10).filter(mark => mark > 1 && mark <= epochs)]
