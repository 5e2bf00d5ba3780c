/** @file A grid of test images, each with what the model saw in it: green and ✓ where it is right, red and ✗ where not. */
import { type Box, colors, rect, shorten, text } from './svg.js'

export interface PredictedImage {
  /** The picture as a data URI. */
  readonly uri: string
  readonly truth: string
  readonly predicted: string
  /** The probability the model gave to what it predicted, 0 to 1. */
  readonly probability: number
}

const captionHeight = 36
const gap = 10

/** As many images as fit into the box at `size` pixels, row after row. */
export function predictionGrid(images: readonly PredictedImage[], box: Box, size: number): string {
  const columns = gridColumns(box.width, size)
  const step = (box.width + gap) / columns
  const rows = Math.floor((box.height + gap) / (size + captionHeight + gap))
  return images
    .slice(0, columns * rows)
    .map(({ uri, truth, predicted, probability }, i) => {
      const x = box.x + (i % columns) * step
      const y = box.y + Math.floor(i / columns) * (size + captionHeight + gap)
      const right = truth === predicted
      const color = right ? colors.right : colors.wrong
      const place = { x, y, width: size, height: size }
      const letters = Math.floor(size / 6.4)
      const percent = `${Math.round(100 * probability)} %`
      return [
        `<image href="${uri}" x="${x}" y="${y}" width="${size}" height="${size}" preserveAspectRatio="xMidYMid meet" image-rendering="pixelated"/>`,
        rect(place, `fill="none" stroke="${color}" stroke-width="${right ? 1.5 : 3}"`),
        text(x, y + size + 15, `${right ? '✓' : '✗'} ${shorten(predicted, letters - 2)}`, {
          size: 11,
          color,
          weight: 'bold',
        }),
        text(x, y + size + 29, right ? percent : `is ${shorten(truth, letters - 3)}`, {
          size: 11,
          color: colors.muted,
        }),
      ].join('')
    })
    .join('')
}

/** How many images of `size` pixels stand in a row. */
export const gridColumns = (width: number, size: number): number =>
  Math.max(1, Math.floor((width + gap) / (size + gap)))
