/** @file The picture of a run: learning curves, confusion matrix and two rows of predictions. */
import { confusionMatrix } from './confusion-matrix.js'
import { curves } from './curves.js'
import { headHeight, heading, margin } from './picture.js'
import { type PredictedImage, predictionGrid } from './prediction-grid.js'
import { colors, document, text } from './svg.js'

export interface RunPicture {
  readonly title: string
  readonly subtitle: string
  readonly classes: readonly string[]
  /** One row an epoch; validation may be absent (NaN). */
  readonly epochs: readonly {
    readonly loss: number
    readonly accuracy: number
    readonly validationLoss: number
    readonly validationAccuracy: number
  }[]
  /** Counts of (true class, predicted class) on the held-out images. */
  readonly confusion: readonly (readonly number[])[]
  /** A fair sample of held-out images, and the worst mistakes, worst first; `imagesPerRow` of each are shown. */
  readonly predictions: { readonly some: readonly PredictedImage[]; readonly mistakes: readonly PredictedImage[] }
}

const pictureWidth = 1280
const height = 1024
/** Images in a row of predictions. */
export const imagesPerRow = 12
/** Their side, in pixels. */
export const imageSide = 90
const gridRow = { x: margin, width: pictureWidth - 2 * margin, height: 126 }
const left = { x: margin, width: 560, height: 240 }

/** The picture as SVG; text is set in whatever sans-serif the viewer has. */
export function runPicture({ title, subtitle, classes, epochs, confusion, predictions }: RunPicture): string {
  const both = (training: 'loss' | 'accuracy', validation: 'validationLoss' | 'validationAccuracy') => [
    { name: 'training', color: colors.training, values: epochs.map(epoch => epoch[training]) },
    { name: 'held-out', color: colors.validation, values: epochs.map(epoch => epoch[validation]) },
  ]
  const percent = (value: number): string => `${Number((100 * value).toFixed(1))} %`
  const loss = { title: 'Loss by epoch', format: String }
  const accuracy = { title: 'Accuracy by epoch', format: percent }
  return document(
    pictureWidth,
    height,
    [
      heading(title, subtitle, pictureWidth),
      curves(both('loss', 'validationLoss'), { ...left, y: headHeight }, loss),
      curves(both('accuracy', 'validationAccuracy'), { ...left, y: 390 }, accuracy),
      confusionMatrix(confusion, classes, { x: 660, y: headHeight, width: 580, height: 545 }),
      text(margin, 676, 'Held-out images, and what the model sees in them', { size: 15, weight: 'bold' }),
      predictionGrid(predictions.some, { ...gridRow, y: 692 }, imageSide),
      text(margin, 858, 'The worst mistakes', { size: 15, weight: 'bold' }),
      predictions.mistakes.length > 0
        ? predictionGrid(predictions.mistakes, { ...gridRow, y: 874 }, imageSide)
        : text(margin, 890, 'none: every held-out image is recognized', { color: colors.muted }),
    ].join(''),
  )
}
