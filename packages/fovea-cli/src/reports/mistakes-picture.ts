/** @file The picture of the worst mistakes: the images with the highest loss, what they are and what they were taken for. */
import { withCommas } from '../output.js'
import { headHeight, heading, margin } from './picture.js'
import { gridColumns, gridRowHeight, type PredictedImage, predictionGrid } from './prediction-grid.js'
import { colors, document, text } from './svg.js'

export interface MistakesPicture {
  readonly title: string
  /** Highest loss first. */
  readonly mistakes: readonly PredictedImage[]
  /** Of how many mistakes these are the worst, on how many images. */
  readonly total: number
  readonly images: number
  /** What people call them. Default `held-out images`. */
  readonly imagesName?: string
}

const width = 1280
/** The side of an image, in pixels. */
export const mistakeSize = 140

/** The picture as SVG, as high as it has rows. */
export function mistakesPicture({
  title,
  mistakes,
  total,
  images,
  imagesName = 'held-out images',
}: MistakesPicture): string {
  const inner = width - 2 * margin
  const rows = Math.ceil(mistakes.length / gridColumns(inner, mistakeSize))
  const gridHeight = rows * gridRowHeight(mistakeSize)
  const count = `${withCommas(total)} mistake${total === 1 ? '' : 's'}`
  const shown = mistakes.length < total ? `the worst ${mistakes.length} of ${count}` : count
  const [start, end] = total === 0 ? ['no mistakes', ''] : [shown, ', highest loss first']
  const none = text(margin, headHeight + 10, 'Every image is recognized.', { size: 15, color: colors.right })
  return document(
    width,
    headHeight + Math.max(gridHeight, 30) + 20,
    [
      heading(title, `${start} on ${withCommas(images)} ${imagesName}${end}`, width),
      total === 0
        ? none
        : predictionGrid(mistakes, { x: margin, y: headHeight, width: inner, height: gridHeight }, mistakeSize),
    ].join(''),
  )
}
