/** @file A grid of test images, each with what the model saw in it: green and ✓ where it is right, red and ✗ where not. */
import { type Box, colors, fit, rect, text, textWidth } from './svg.js'

export interface PredictedImage {
  /** The picture as a data URI. */
  readonly uri: string
  readonly truth: string
  readonly predicted: string
  /** The probability the model gave to what it predicted, 0 to 1. */
  readonly probability: number
}

const gap = 10
/** From this size on, the font is larger and a mistake's probability has room beside its name. */
const largeSize = 120
const fontSize = (size: number): number => (size < largeSize ? 11 : 12)
const lineHeight = (size: number): number => fontSize(size) + 4

/** The height of one row of images of `size` pixels, with the two lines under each and the gap to the next. */
export const gridRowHeight = (size: number): number => size + 2 * lineHeight(size) + 6 + gap

/** As many images as fit into the box at `size` pixels, row after row. */
export function predictionGrid(images: readonly PredictedImage[], box: Box, size: number): string {
  const columns = gridColumns(box.width, size)
  const step = (box.width - size) / Math.max(1, columns - 1)
  const rows = Math.floor((box.height + gap) / gridRowHeight(size))
  return images
    .slice(0, columns * rows)
    .map((image, i) => {
      const x = box.x + (i % columns) * step
      const y = box.y + Math.floor(i / columns) * gridRowHeight(size)
      const place = { x, y, width: size, height: size }
      const right = image.truth === image.predicted
      const color = right ? colors.right : colors.wrong
      return [
        rect(place, `fill="${colors.empty}"`),
        `<image href="${image.uri}" x="${x}" y="${y}" width="${size}" height="${size}" preserveAspectRatio="xMidYMid meet" image-rendering="pixelated"/>`,
        rect(place, `fill="none" stroke="${color}" stroke-width="${right ? 1.5 : 3}"`),
        caption(image, { ...place, y: y + size }),
      ].join('')
    })
    .join('')
}

/** What the model saw, and under it how surely it is right, or what it really is. */
function caption({ truth, predicted, probability }: PredictedImage, { x, y, width }: Box): string {
  const right = truth === predicted
  const percent = `${Math.round(100 * probability)} %`
  const size = fontSize(width)
  const bold = { size, color: right ? colors.right : colors.wrong, weight: 'bold' } as const
  const plain = { size, color: colors.muted }
  const behind = right || width < largeSize ? '' : ` ${percent}`
  const name = fit(predicted, width - textWidth(`✗ ${behind}`, bold), bold)
  const second = y + 4 + 2 * lineHeight(width) - 3
  return [
    text(x, second - lineHeight(width), `${right ? '✓' : '✗'} ${name}${behind}`, bold),
    text(x, second, right ? percent : fit(`is ${truth}`, width, plain), plain),
  ].join('')
}

/** How many images of `size` pixels stand in a row. */
export const gridColumns = (width: number, size: number): number =>
  Math.max(1, Math.floor((width + gap) / (size + gap)))
