/** @file The frame of a plot: numbers along both axes, grid lines, and where a value lies. Knows nothing of what is drawn. */
import { type Box, colors, line, text, textWidth } from './svg.js'

export interface Axis {
  readonly low: number
  readonly high: number
  /** The values that are written along it. */
  readonly marks: readonly number[]
  readonly format: (value: number) => string
  /** Default `linear`. */
  readonly scale?: 'linear' | 'logarithmic'
  /** Pixels between the ends of the frame and those of the axis. Default 0. */
  readonly inset?: number
  /** What it counts, where the plot's title does not say so. */
  readonly name?: string
}

export interface PlotFrame {
  readonly svg: string
  /** Inside of the axes. */
  readonly inner: Box
  readonly x: (value: number) => number
  readonly y: (value: number) => number
}

const axisWidth = 46
const labelHeight = 22
const nameHeight = 20

/** A grid line for each mark of the vertical axis, numbers at both; the numbers lie within the box. */
export function plotFrame(box: Box, horizontal: Axis, vertical: Axis): PlotFrame {
  const inner = {
    x: box.x + axisWidth,
    y: box.y,
    width: box.width - axisWidth - 10,
    height: box.height - labelHeight - (horizontal.name === undefined ? 0 : nameHeight),
  }
  const bottom = inner.y + inner.height
  const right = inner.x + inner.width
  const x = placing(horizontal, inner.x, right)
  const y = placing(vertical, bottom, inner.y)
  const style = { size: 12, color: colors.muted }
  const parts = [
    ...vertical.marks.flatMap(mark => [
      line(inner.x, y(mark), right, y(mark)),
      text(inner.x - 8, y(mark) + 4, vertical.format(mark), { ...style, anchor: 'end' }),
    ]),
    ...horizontal.marks.map(mark =>
      text(x(mark), bottom + 18, horizontal.format(mark), { ...style, anchor: 'middle' }),
    ),
  ]
  if (horizontal.name !== undefined) {
    parts.push(
      text(inner.x + inner.width / 2, bottom + 18 + nameHeight, horizontal.name, { ...style, anchor: 'middle' }),
    )
  }
  return { svg: parts.join(''), inner, x, y }
}

/** From a value to its pixel; an axis of one value has it in the middle. */
function placing({ low, high, scale = 'linear', inset = 0 }: Axis, start: number, end: number) {
  const of = scale === 'linear' ? (value: number): number => value : Math.log
  const span = of(high) - of(low)
  const margin = inset * Math.sign(end - start)
  return (value: number): number =>
    span === 0 ? (start + end) / 2 : start + margin + ((of(value) - of(low)) / span) * (end - start - 2 * margin)
}

/** Round numbers that cover the range: 1, 2 or 5 times a power of ten apart, about `count` of them. */
export function ticks(low: number, high: number, count = 4): number[] {
  const span = high > low ? high - low : Math.abs(high) || 1
  const power = 10 ** Math.floor(Math.log10(span / count))
  const step = [1, 2, 5, 10].map(factor => factor * power).find(candidate => span / candidate <= count) ?? 10 * power
  const first = Math.floor(low / step + 1e-9)
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9))
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)))
}

/** The powers of ten within a range; of a range without two of them, its ends. */
export function powersOfTen(low: number, high: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9)
  const last = Math.floor(Math.log10(high) + 1e-9)
  return last > first ? Array.from({ length: last - first + 1 }, (_, i) => Number(`1e${first + i}`)) : [low, high]
}

/** Words in the colours of what they name, side by side up to `right`. */
export function legend(
  entries: readonly { readonly name: string; readonly color: string }[],
  right: number,
  y: number,
) {
  const style = { size: 12, weight: 'bold' } as const
  let x = right
  return [...entries]
    .reverse()
    .map(({ name, color }) => {
      const label = text(x, y, name, { ...style, color, anchor: 'end' })
      x -= textWidth(name, style) + 20
      return label
    })
    .join('')
}
