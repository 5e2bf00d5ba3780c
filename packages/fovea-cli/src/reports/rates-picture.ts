/** @file The plot of a learning-rate range test: the loss over the rate, and the two rates that it suggests. */
import type { LearningRateSearch } from 'fovea'
import { headHeight, heading, margin } from './picture.js'
import { type Axis, legend, plotFrame, powersOfTen, ticks } from './plot.js'
import { clipped, colors, dashed, document, polyline, text } from './svg.js'

const width = 960
/** Over the plot are its title and, above its end of each line, the two suggestions. */
const plot = { x: margin, y: headHeight + 80, width: width - 2 * margin, height: 400 }

/** 0.0123 as 0.012, 1e-6 as 1e-6. */
export const formatRate = (rate: number): string => {
  const rounded = Number(rate.toPrecision(2))
  return rounded >= 1e-3 && rounded < 1e4 ? String(rounded) : rounded.toExponential().replace('e+', 'e')
}

/** The picture as SVG. The vertical axis fits the smoothed loss; what single steps have beyond is cut. */
export function ratesPicture(title: string, { steepest, tenthOfLowest, steps }: LearningRateSearch): string {
  const smoothed = steps.map(({ smoothedLoss }) => smoothedLoss)
  const marks = ticks(Math.min(...smoothed), Math.max(...smoothed), 5)
  const [low, high] = [steps[0].learningRate, steps[steps.length - 1].learningRate]
  const horizontal: Axis = {
    ...{ low, high, marks: powersOfTen(low, high), format: formatRate, inset: 8 },
    scale: 'logarithmic',
    name: 'learning rate',
  }
  const vertical = { low: marks[0], high: marks[marks.length - 1], marks, format: String }
  const { svg, inner, x, y } = plotFrame(plot, horizontal, vertical)
  const points = (of: 'loss' | 'smoothedLoss') => steps.map(step => [x(step.learningRate), y(step[of])] as const)
  const suggestion = (rate: number, name: string, line: number, color: string): string => {
    const anchor = x(rate) < inner.x + 0.6 * inner.width ? 'start' : 'end'
    const top = inner.y - 32 + 22 * line
    return [
      dashed(x(rate), top - 12, inner.y + inner.height, color),
      text(x(rate) + (anchor === 'start' ? 7 : -7), top, `${formatRate(rate)}: ${name}`, {
        color,
        anchor,
        weight: 'bold',
      }),
    ].join('')
  }
  const names = [
    { name: 'each step', color: colors.faint },
    { name: 'smoothed', color: colors.training },
  ]
  return document(
    width,
    plot.y + plot.height + 30,
    [
      heading(title, `${steps.length} steps, the rate growing from ${formatRate(low)} to ${formatRate(high)}`, width),
      text(margin, headHeight + 13, 'Loss by learning rate', { size: 15, weight: 'bold' }),
      legend(names, inner.x + inner.width, headHeight + 13),
      svg,
      clipped(inner, polyline(points('loss'), colors.faint, 1.5) + polyline(points('smoothedLoss'), colors.training)),
      suggestion(steepest, 'the loss falls fastest', 0, colors.right),
      suggestion(tenthOfLowest, 'a tenth of where it is lowest', 1, colors.validation),
    ].join(''),
  )
}
