/**
 * @file The reliability diagram (Guo et al. 2017, arXiv 1706.04599, figure 1): whether a model that says 80 % is right in
 * four cases of five, and how often it is how sure.
 */
import type { Evaluation, ReliabilityBin } from 'fovea'
import { percent, withCommas } from '../output.js'
import { headHeight, heading, margin } from './picture.js'
import { legend, plotFrame, ticks } from './plot.js'
import { type Box, colors, document, rect, text } from './svg.js'

export interface CalibrationPicture
  extends Pick<Evaluation, 'accuracy' | 'calibrationError' | 'images' | 'reliability'> {
  readonly title: string
  /** What people call the images. Default `held-out images`. */
  readonly imagesName?: string
}

const width = 800
const plotWidth = width - 2 * margin
const diagramHeight = 500
const histogramHeight = 170
/** For the words over a plot. */
const titleHeight = 28

/** The picture as SVG. */
export function calibrationPicture({ title, imagesName = 'held-out images', ...measured }: CalibrationPicture): string {
  const { calibrationError, accuracy, images, reliability } = measured
  const confidence = reliability.reduce((sum, bin) => sum + (bin.confidence * bin.images) / images, 0)
  const difference = Math.abs(confidence - accuracy)
  const points = `${(100 * difference).toFixed(1)} points too ${confidence > accuracy ? 'sure' : 'cautious'}`
  const verdict = difference < 0.005 ? 'as sure as it is right' : points
  const subtitle = `calibration error ${percent(calibrationError)} on ${withCommas(images)} ${imagesName}, on average ${verdict}`
  const histogramTop = headHeight + titleHeight + diagramHeight + 30
  return document(
    width,
    histogramTop + titleHeight + histogramHeight + 30,
    [
      heading(title, subtitle, width),
      diagram(reliability, { x: margin, y: headHeight, width: plotWidth, height: titleHeight + diagramHeight }),
      histogram(reliability, { x: margin, y: histogramTop, width: plotWidth, height: titleHeight + histogramHeight }),
    ].join(''),
  )
}

const tenths = Array.from({ length: 6 }, (_, i) => i / 5)
const whole = (value: number): string => `${Math.round(100 * value)} %`
const from0to1 = { low: 0, high: 1, marks: tenths, format: whole }
const below = ({ x, y, width, height }: Box): Box => ({ x, y: y + titleHeight, width, height: height - titleHeight })

/** How often it is right, by how sure it is; in red what lacks to, or exceeds, what it says. */
function diagram(bins: readonly ReliabilityBin[], box: Box): string {
  const { svg, inner, x, y } = plotFrame(below(box), from0to1, from0to1)
  const bars = bins.map(({ low, high, confidence, accuracy }) => {
    const column = { x: x(low) + 1, width: x(high) - x(low) - 2 }
    const bar = { ...column, y: y(accuracy), height: y(0) - y(accuracy) }
    const [upper, lower] = [Math.max(accuracy, confidence), Math.min(accuracy, confidence)]
    const gap = { ...column, y: y(upper), height: y(lower) - y(upper) }
    const edge = { ...column, y: y(accuracy) - 1.5, height: 3 }
    return [
      rect(bar, `fill="${colors.faint}"`),
      rect(gap, `fill="${colors.paper}"`),
      rect(gap, `fill="${colors.wrong}" fill-opacity="0.3"`),
      rect(edge, `fill="${colors.training}"`),
    ].join('')
  })
  const diagonal = `<line x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}" stroke="${colors.ink}" stroke-width="1.5" stroke-dasharray="6 5"/>`
  const names = [
    { name: 'how often it is right', color: colors.training },
    { name: 'gap to how sure it is', color: colors.wrong },
    { name: 'no gap', color: colors.ink },
  ]
  return [
    text(box.x, box.y + 13, 'Right, by confidence', { size: 15, weight: 'bold' }),
    svg,
    ...bars,
    diagonal,
    legend(names, inner.x + inner.width, box.y + 13),
  ].join('')
}

/** How many images it is how sure of: a bar of the diagram that stands on a few tells little. */
function histogram(bins: readonly ReliabilityBin[], box: Box): string {
  const most = Math.max(...bins.map(({ images }) => images))
  const marks = ticks(0, most, 3).filter(Number.isInteger)
  const vertical = { low: 0, high: marks[marks.length - 1], marks, format: withCommas }
  const { svg, x, y } = plotFrame(
    below(box),
    { ...from0to1, name: 'confidence: the probability of the prediction' },
    vertical,
  )
  const bars = bins.map(({ low, high, images }) =>
    rect(
      { x: x(low) + 1, y: y(images), width: x(high) - x(low) - 2, height: y(0) - y(images) },
      `fill="${colors.faint}"`,
    ),
  )
  return [text(box.x, box.y + 13, 'Images, by confidence', { size: 15, weight: 'bold' }), svg, ...bars].join('')
}
