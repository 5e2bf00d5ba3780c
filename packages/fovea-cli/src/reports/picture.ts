/** @file The one picture of a run: learning curves, confusion matrix and a grid of predictions, as SVG and as PNG. */
import { existsSync } from 'node:fs'
import sharp from 'sharp'
import { writeFileAtomic } from '../files.js'
import { confusionMatrix } from './confusion-matrix.js'
import { curves } from './curves.js'
import { type PredictedImage, predictionGrid } from './prediction-grid.js'
import { colors, document, text } from './svg.js'

export interface RunReport {
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
  /** A fair sample of held-out images, and the mistakes that the model is surest of; at most `imagesPerRow` each. */
  readonly predictions: { readonly some: readonly PredictedImage[]; readonly mistakes: readonly PredictedImage[] }
}

export const pictureWidth = 1280
const height = 1024
/** Images in a row of predictions. */
export const imagesPerRow = 12
const gridRow = { x: 40, width: 1200, height: 126 }

/** The picture as SVG; text is set in whatever sans-serif the viewer has. */
export function runPicture({ title, subtitle, classes, epochs, confusion, predictions }: RunReport): string {
  const both = (training: 'loss' | 'accuracy', validation: 'validationLoss' | 'validationAccuracy') => [
    { name: 'training', color: colors.training, values: epochs.map(epoch => epoch[training]) },
    { name: 'held-out', color: colors.validation, values: epochs.map(epoch => epoch[validation]) },
  ]
  const percent = (value: number): string => `${Number((100 * value).toFixed(1))} %`
  return document(
    pictureWidth,
    height,
    [
      text(40, 56, title, { size: 26, weight: 'bold' }),
      text(40, 84, subtitle, { size: 15, color: colors.muted }),
      curves(
        both('loss', 'validationLoss'),
        { x: 40, y: 122, width: 560, height: 240 },
        {
          title: 'Loss by epoch',
          format: String,
        },
      ),
      curves(
        both('accuracy', 'validationAccuracy'),
        { x: 40, y: 390, width: 560, height: 240 },
        {
          title: 'Accuracy by epoch',
          format: percent,
        },
      ),
      confusionMatrix(confusion, classes, { x: 660, y: 122, width: 580, height: 545 }),
      text(40, 676, 'Held-out images, and what the model sees in them', { size: 15, weight: 'bold' }),
      predictionGrid(predictions.some, { ...gridRow, y: 692 }, 90),
      text(40, 858, 'The mistakes it is surest of', { size: 15, weight: 'bold' }),
      predictions.mistakes.length > 0
        ? predictionGrid(predictions.mistakes, { ...gridRow, y: 874 }, 90)
        : text(40, 890, 'none in the sample', { color: colors.muted }),
    ].join(''),
  )
}

/**
 * Writes the picture as PNG; where the machine has no font to set text with, as SVG.
 * @param path without ending
 * @returns the path written
 */
export async function writePicture(svg: string, path: string): Promise<string> {
  const drawn = await hasFont()
  const file = `${path}.${drawn ? 'png' : 'svg'}`
  await writeFileAtomic(file, drawn ? await sharp(Buffer.from(svg)).png({ compressionLevel: 9 }).toBuffer() : svg)
  return file
}

/** Whether letters can be drawn: without fonts every letter is the same empty box. */
async function hasFont(): Promise<boolean> {
  // Looked at first, because the text library complains on stderr where its configuration is missing.
  if (process.platform === 'linux' && !existsSync('/etc/fonts')) return false
  const draw = (letter: string): Promise<Buffer> =>
    sharp(Buffer.from(document(40, 40, text(5, 30, letter, { size: 30 }))))
      .raw()
      .toBuffer()
  return !(await draw('i')).equals(await draw('W'))
}

/** 8-bit pixels [height, width, channels] as a data URI of a PNG. */
export async function imageUri(
  pixels: Uint8Array,
  [h, w, channels]: readonly [number, number, number],
): Promise<string> {
  const raw = { width: w, height: h, channels: channels as 1 | 3 }
  const png = await sharp(pixels, { raw }).png().toBuffer()
  return `data:image/png;base64,${png.toString('base64')}`
}
