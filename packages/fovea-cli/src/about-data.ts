/** @file What a data set says about itself before it is used: in a few lines for people, as an event for programs. */
import { firstFew } from 'fovea/engine'
import { type DecodedFacts, formatEndings, type LoadedData, type PackedManifest, type SizeFrom } from './data/index.js'
import { type Output, withCommas } from './output.js'

/** Of a data set that is loaded, or packed. */
export interface AboutData {
  readonly imageShape: readonly number[]
  readonly classes: readonly string[]
  /** How many there are in each split. */
  readonly images: { readonly train: number; readonly validation?: number; readonly test: number }
  readonly facts?: DecodedFacts
  readonly sizeFrom?: SizeFrom
}

export const aboutLoaded = ({ train, validation, test, facts, sizeFrom }: LoadedData): AboutData => ({
  imageShape: train.imageShape,
  classes: train.classes,
  images: { train: train.length, ...(validation && { validation: validation.length }), test: test.length },
  ...(facts && { facts }),
  ...(sizeFrom && { sizeFrom }),
})

type Packed = PackedManifest & { readonly sizeFrom: SizeFrom }

export const aboutPacked = ({ imageShape, classes, splits, facts, sizeFrom }: Packed): AboutData => ({
  ...{ imageShape, classes },
  images: {
    train: splits.train.count,
    ...(splits.validation && { validation: splits.validation.count }),
    test: splits.test.count,
  },
  ...(facts && { facts }),
  sizeFrom,
})

/** The `data` event of `--json`: what `--data` named, and what it came to. */
export const dataEvent = (spec: string, { facts, sizeFrom, ...about }: AboutData) => ({
  event: 'data',
  data: spec,
  ...about,
  ...(sizeFrom && { sizeFrom }),
  ...facts,
})

/**
 * Tells people of a folder of images, or of what was packed from one: what is in it, then a line for each thing that was
 * not taken as it lies there. Data sets with a name are known.
 */
export function sayAboutData(spec: string, about: AboutData, output: Output): void {
  const { classes, images, facts } = about
  if (facts === undefined) return
  output.say(`${spec}: ${splitsIn(images, facts.sources)}; classes: ${firstFew(classes, ', ')}`)
  output.say(`  ${sizesOf(about, facts)}`)
  sayLeftOut(facts, output)
  sayRepeated(facts, output)
}

/** A line for each thing in a folder of images that was not taken as it lies there. */
export function sayLeftOut({ unused, leftOut, joined }: DecodedFacts, output: Output): void {
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

/** A line if images are the same in two splits, and one if in two classes. */
export function sayRepeated({ repeated: { acrossSplits, acrossClasses } }: DecodedFacts, output: Output): void {
  if (acrossSplits) {
    output.say(`  the same image in two splits, which makes a model look better than it is: ${repeats(acrossSplits)}`)
  }
  if (acrossClasses) output.say(`  the same image in two classes: ${repeats(acrossClasses)}`)
}

const repeats = ({ images, example: [first, second] }: NonNullable<DecodedFacts['repeated']['acrossSplits']>): string =>
  `${withCommas(images)}, such as '${first}' and '${second}'`

const REASONS: Readonly<Record<SizeFrom, string>> = {
  asked: 'as asked for',
  model: 'as the model takes them',
  median: 'the median of their shorter sides',
  most: 'the most without --size',
}

function sizesOf({ imageShape, sizeFrom }: AboutData, { smallest, largest, enlarged }: DecodedFacts): string {
  const size = ([height, width]: readonly number[]): string => `${width}×${height}`
  const why = sizeFrom === undefined ? '' : `, ${REASONS[sizeFrom]}`
  const are =
    size(smallest) === size(largest) ? `all are ${size(smallest)}` : `they are ${size(smallest)} to ${size(largest)}`
  const more = enlarged === 0 ? '' : `, ${counted(enlarged, 'image')} enlarged`
  return `size ${size(imageShape)}${why} (${are}${more})`
}

type Source = DecodedFacts['sources']['train']

function splitsIn({ train, validation, test }: AboutData['images'], sources: DecodedFacts['sources']): string {
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
