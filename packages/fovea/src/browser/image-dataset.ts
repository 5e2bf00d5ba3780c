/** @file Pictures of a page, by class, as a data set: each is decoded once, and what cannot be read is refused or left out by name. */
import { arrayDataset } from '../data/array-dataset.js'
import type { Dataset } from '../data/dataset.js'
import { formatBytes } from '../engines/memory.js'
import { FormatError, FoveaError, InvalidArgumentError, SettingError } from '../errors.js'
import type { Preprocessing } from '../models/model.js'
import { firstFew, typeOf } from '../settings/describe.js'
import { group, type Rows } from '../settings/group.js'
import { callback, flag, list, text, thing } from '../settings/kinds.js'
import { unexpected, within } from '../settings/setting.js'
import { decode, fileName, type Picture, pictureSetting, seenSettings } from './decode-image.js'

/** Pictures by the name of their class. */
export type PicturesByClass = ReadonlyMap<string, readonly Picture[]>

/** What pictures are decoded to, as `decodeImage` has it, and how that is reported. */
export interface ImageDatasetOptions extends Pick<Preprocessing, 'size' | 'resizing'> {
  /** For messages and saved runs. Default 'pictures'. */
  readonly name?: string
  /** Leaves out pictures that cannot be read, naming them with `onNotice`. Default: they are an error. */
  readonly skipBad?: boolean
  /** Takes a sentence that a person should see. Default: dropped. */
  readonly onNotice?: (message: string) => void
  /** Called after each picture. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
  /** Stops the work, which throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** Labelled pictures, decoded. */
export interface ImageDataset extends Dataset {
  /** What each image was made of. */
  readonly pictures: readonly Picture[]
}

const settings = group('what pictures are decoded to', {
  ...seenSettings,
  name: text('for messages and saved runs').default('pictures'),
  skipBad: flag('leaves out pictures that cannot be read').default(false),
  onNotice: callback<NonNullable<ImageDatasetOptions['onNotice']>>('takes a sentence for people').optional(),
  onProgress: callback<NonNullable<ImageDatasetOptions['onProgress']>>('takes how far it is').optional(),
  signal: thing(
    'stops the work',
    'other',
    "an AbortController's signal",
    (value): value is AbortSignal => typeOf(value) === 'AbortSignal',
  ).optional(),
} satisfies Rows<ImageDatasetOptions>)

/** A picture, its class and what messages call it. */
interface Labelled {
  readonly picture: Picture
  readonly label: number
  readonly name: string
}

/**
 * A data set of pictures, whose pixels are kept in memory. Images are in the order of the classes, and within a class in that of its pictures.
 * @param pictures as `chosenFolders` and `droppedFolders` give files, or `new Map([['cat', [file, canvas, …]], …])`
 * @throws FormatError naming the pictures that cannot be read, or, with `skipBad`, the class of which none is left; SettingError for
 *   what are no pictures by class, and a class without any; InvalidArgumentError where their pixels take more memory than there is
 */
export async function imageDataset(pictures: PicturesByClass, options: ImageDatasetOptions): Promise<ImageDataset> {
  const all = labelled(pictures)
  const { name, size, resizing, skipBad, onNotice, onProgress, signal } = settings.parse(options, '')
  const classes = [...pictures.keys()]
  const seen = { size, ...(resizing && { resizing }) }
  const bytes = size[0] * size[1] * size[2]
  const images = pixelsOf(all.length, size)
  const good: Labelled[] = []
  const bad: { readonly label: number; readonly reason: string }[] = []
  for (const [i, one] of all.entries()) {
    signal?.throwIfAborted()
    const pixels = await orReason(decode(one.picture, one.name, seen))
    if (pixels instanceof FoveaError) bad.push({ label: one.label, reason: pixels.message })
    else images.set(pixels, (good.push(one) - 1) * bytes)
    onProgress?.({ done: i + 1, total: all.length })
  }
  if (bad.length > 0) {
    const problem = `${bad.length} of ${all.length} pictures that cannot be read: ${firstFew(bad.map(reasonOf))}`
    if (!skipBad) throw new FormatError(`${problem}. Repair or remove them, or leave them out (skipBad: true)`)
    checkLeft(classes, good, bad)
    onNotice?.(`left out ${problem}`)
  }
  const dataset = arrayDataset({
    ...{ name, classes, imageShape: size },
    images: images.subarray(0, good.length * bytes),
    labels: good.map(({ label }) => label),
  })
  return { ...dataset, pictures: good.map(({ picture }) => picture) }
}

/** @throws InvalidArgumentError where there is not the memory */
function pixelsOf(count: number, size: readonly number[]): Uint8Array {
  const bytes = size.reduce((product, length) => product * length, count)
  try {
    return new Uint8Array(bytes)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new InvalidArgumentError(
      `${count} pictures of ${size.join('×')} take ${formatBytes(bytes)}, which there is not here: take fewer, or a smaller size`,
    )
  }
}

const reasonOf = ({ reason }: { readonly reason: string }): string => reason

const orReason = (decoding: Promise<Uint8Array>): Promise<Uint8Array | FoveaError> =>
  decoding.catch((error: unknown) => {
    if (error instanceof FoveaError) return error
    throw error
  })

const expected = "pictures by class, as new Map([['cat', files], ['dog', others]])"
const className = text('of a class')
const ofClass = list('of a class', 'pictures', pictureSetting)

/** @throws SettingError for what are no pictures by class, and a class without any */
function labelled(pictures: unknown): Labelled[] {
  if (typeOf(pictures) !== 'Map') throw unexpected('pictures', expected, pictures)
  const classes = pictures as ReadonlyMap<unknown, unknown>
  if (classes.size === 0) throw new SettingError('pictures', 'there are none')
  return [...classes].flatMap(([key, given], label) => {
    const name = className.parse(key, 'pictures')
    const path = within('pictures', name)
    const some = ofClass.parse(given, path)
    if (some.length === 0) throw new SettingError(path, 'a class needs a picture, and has none')
    return some.map((picture, i) => ({
      picture,
      label,
      name: fileName(picture, name) ?? `picture ${i + 1} of '${name}'`,
    }))
  })
}

/** @throws FormatError naming a class of which no picture is left */
function checkLeft(
  classes: readonly string[],
  good: readonly Labelled[],
  bad: readonly { readonly label: number; readonly reason: string }[],
): void {
  const empty = classes.findIndex((_, own) => good.every(({ label }) => label !== own))
  if (empty < 0) return
  const reasons = bad.filter(({ label }) => label === empty).map(reasonOf)
  throw new FormatError(
    `class '${classes[empty]}' has no pictures left: ${reasons.length} were left out that cannot be read: ` +
      `${firstFew(reasons)}; repair some or add others`,
  )
}
