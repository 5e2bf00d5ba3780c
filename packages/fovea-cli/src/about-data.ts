/** @file What a data set says about itself before it is used: in a few lines for people, as an event for programs. */
import { type FolderFacts, formatEndings, type LoadedData, type PackedManifest } from './data/index.js'
import { type Output, withCommas } from './output.js'

/** Of a data set that is loaded, or packed. */
export interface AboutData {
  readonly imageShape: readonly number[]
  readonly classes: readonly string[]
  /** How many there are in each split. */
  readonly images: { readonly train: number; readonly validation?: number; readonly test: number }
  readonly facts?: FolderFacts
}

export const aboutLoaded = ({ train, validation, test, facts }: LoadedData): AboutData => ({
  imageShape: train.imageShape,
  classes: train.classes,
  images: { train: train.length, ...(validation && { validation: validation.length }), test: test.length },
  ...(facts && { facts }),
})

export const aboutPacked = ({ imageShape, classes, splits, facts }: PackedManifest): AboutData => ({
  ...{ imageShape, classes },
  images: {
    train: splits.train.count,
    ...(splits.validation && { validation: splits.validation.count }),
    test: splits.test.count,
  },
  ...(facts && { facts }),
})

/** The `data` event of `--json`: what `--data` named, and what it came to. */
export const dataEvent = (spec: string, { facts, ...about }: AboutData) => ({
  event: 'data',
  data: spec,
  ...about,
  ...facts,
})

/**
 * Tells people of a folder of images, or of what was packed from one: what is in it, then a line for each thing that was
 * not taken as it lies there. Data sets with a name are known.
 */
export function sayAboutData(spec: string, { classes, images, facts }: AboutData, output: Output): void {
  if (facts === undefined) return
  const { sources, unused, leftOut, joined } = facts
  output.say(`${spec}: ${splitsIn(images, sources)}; classes: ${firstFew(classes)}`)
  if (Object.keys(leftOut).length > 0) {
    const heic = Object.keys(leftOut).some(ending => ['.heic', '.heif'].includes(ending))
    const advice = heic ? '; convert HEIC to JPEG' : ''
    output.say(`  left out, as no images that can be read: ${formatEndings(leftOut)}${advice}`)
  }
  if (unused.length > 0) {
    const folders = unused.map(({ folder, images, why }) => `'${folder || '.'}' (${counted(images, 'image')}, ${why})`)
    output.say(`  not used: ${folders.join(', ')}`)
  }
  for (const paths of joined) {
    const folders = paths.map(path => `'${path}'`).join(', ')
    output.say(`  one class, its name written in several ways (Unicode normal forms): ${folders}`)
  }
}

type Source = FolderFacts['sources']['train']

function splitsIn({ train, validation, test }: AboutData['images'], sources: FolderFacts['sources']): string {
  const named = (count: number, what: string, source: Source): string => {
    const from = [
      ...(source.heldOut === undefined ? [] : [`${Math.round(100 * source.heldOut)} % of each class`]),
      ...(source.folder === '' ? [] : [source.folder]),
    ].join(' of ')
    return `${withCommas(count)} ${what}${from === '' ? '' : ` (${from})`}`
  }
  const toTrain = named(train, 'images to train on', sources.train)
  if (validation === undefined || sources.validation === undefined) {
    return `${toTrain}, ${named(test, 'held out', sources.test)}`
  }
  const measured = named(validation, 'measured after each epoch', sources.validation)
  return `${toTrain}, ${measured}, ${named(test, 'at the end', sources.test)}`
}

const counted = (count: number, what: string): string => `${withCommas(count)} ${what}${count === 1 ? '' : 's'}`

/** At most five names. */
const firstFew = (names: readonly string[]): string =>
  `${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`
