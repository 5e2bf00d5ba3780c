/** @file Learning curves: lines over epochs with a scale that people can read. */
import { type Box, circle, colors, line, polyline, text } from './svg.js'

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
  /** The epoch of the first value. Default 1. */
  readonly firstEpoch?: number
}

const axisWidth = 46
const titleHeight = 28
const labelHeight = 22

/** Round numbers that cover the range: 1, 2 or 5 times a power of ten apart, about `count` of them. */
export function ticks(low: number, high: number, count = 4): number[] {
  const span = high > low ? high - low : Math.abs(high) || 1
  const power = 10 ** Math.floor(Math.log10(span / count))
  const step = [1, 2, 5, 10].map(factor => factor * power).find(candidate => span / candidate <= count) ?? 10 * power
  const first = Math.floor(low / step + 1e-9)
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9))
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)))
}

/** Lines with a legend; the vertical axis fits the values, the horizontal one counts epochs. */
export function curves(series: readonly Series[], box: Box, { title, format, firstEpoch = 1 }: CurveOptions): string {
  const values = series.flatMap(({ values }) => values.filter(Number.isFinite))
  const marks = values.length > 0 ? ticks(Math.min(...values), Math.max(...values)) : [0, 1]
  const [low, high] = [marks[0], marks[marks.length - 1]]
  const epochs = Math.max(1, ...series.map(({ values }) => values.length))
  const plot = {
    left: box.x + axisWidth,
    right: box.x + box.width - 10,
    top: box.y + titleHeight,
    bottom: box.y + box.height - labelHeight,
  }
  const x = (i: number): number =>
    epochs === 1 ? (plot.left + plot.right) / 2 : plot.left + 8 + (i / (epochs - 1)) * (plot.right - plot.left - 8)
  const y = (value: number): number => plot.bottom - ((value - low) / (high - low)) * (plot.bottom - plot.top)

  const grid = marks.map(
    mark =>
      line(plot.left, y(mark), plot.right, y(mark)) +
      text(plot.left - 8, y(mark) + 4, format(mark), { size: 12, color: colors.muted, anchor: 'end' }),
  )
  const every = Math.ceil(epochs / 12)
  const epochLabels = Array.from({ length: epochs }, (_, i) => i)
    .filter(i => i % every === 0)
    .map(i => text(x(i), plot.bottom + 18, String(firstEpoch + i), { size: 12, color: colors.muted, anchor: 'middle' }))
  const lines = series.map(({ values, color }) => {
    const points = values.map((value, i) => [x(i), y(value)] as const).filter(([, py]) => Number.isFinite(py))
    return polyline(points, color) + points.map(([px, py]) => circle(px, py, 3, color)).join('')
  })
  let legendX = plot.right
  const legend = [...series].reverse().map(({ name, color }) => {
    const label = text(legendX, box.y + 13, name, { size: 12, color, anchor: 'end', weight: 'bold' })
    legendX -= name.length * 8 + 16
    return label
  })
  return [text(box.x, box.y + 13, title, { size: 15, weight: 'bold' }), grid, epochLabels, lines, legend]
    .flat()
    .join('')
}
