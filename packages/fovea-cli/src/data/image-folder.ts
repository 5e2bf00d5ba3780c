/**
 * @file A folder of labelled photos as a data set: decoded once, on all cores, into a packed file, which later runs
 * read as long as the folder has not changed.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { FormatError } from 'fovea'
import {
  checkArguments,
  choice,
  custom,
  flag,
  group,
  number,
  type Rows,
  resizingSetting,
  thing,
  tuple,
  unexpected,
  type ValueOf,
  whole,
} from 'fovea/engine'
import { checkNewFile } from '../new-files.js'
import { cacheFolderIn, inCache } from './cache.js'
import { type FolderScan, type SplitOptions, scanFolder, testPart } from './folder-scan.js'
import type { FoundData, LoadedData, SizeFrom } from './found-data.js'
import { loadSettings, pathArgument } from './options.js'
import { badImages, missingPart, type PackOptions, packFolder } from './pack-folder.js'
import {
  openPacked,
  PACKED_EXTENSION,
  type PackedDescription,
  type PackedManifest,
  readManifest,
} from './packed-file.js'
import { typicalSide } from './typical-size.js'

export interface ImageFolderOptions extends PackOptions, SplitOptions {
  /**
   * Pixels of the square, or [height, width], that every image is resized and cropped to. Default: `defaultSize`.
   */
  readonly size?: number | readonly [number, number]
  /** [height, width] where `size` is not given. Default: the median of the shorter sides, at most `maxSize`. */
  readonly defaultSize?: readonly [number, number]
  /** Default 224. */
  readonly maxSize?: number
  /** 3 for RGB, which is the default, or 1 for grey. */
  readonly channels?: number
}

/** The longest side that images may be resized to. */
export const MAX_IMAGE_SIDE = 4096

const side = whole('pixels', { from: 1, to: MAX_IMAGE_SIDE })
const sides = tuple('of every image', ['height', 'width'], side)
const square = 'the pixels of a square, or [height, width]'

/** The table of `ImageFolderOptions`. */
const imageFolderSettings = {
  ...loadSettings,
  skipBad: flag('leaves out images that cannot be read').default(false),
  purpose: choice('what the images are for', ['train', 'measure', 'test']).default('train'),
  heldOut: number('how much of each class is held out', { above: 0, below: 1 }).default(0.2),
  splitSeed: whole('chooses the images held out').default(0),
  size: custom('of every image', square, (value, path): number | readonly [number, number] => {
    if (typeof value === 'number') return side.parse(value, path)
    if (Array.isArray(value)) return sides.parse(value, path)
    throw unexpected(path, square, value)
  }).optional(),
  defaultSize: sides.optional(),
  maxSize: side.default(224),
  resizing: resizingSetting.optional(),
  channels: thing(
    'of every image',
    'other',
    '3 (RGB) or 1 (grey)',
    (value): value is number => value === 3 || value === 1,
  ).default(3),
} satisfies Rows<ImageFolderOptions>

export const imageFolderOptions = group('how a folder of images is loaded', imageFolderSettings)
/** `ImageFolderOptions` with all that has a default. */
export type SettledFolderOptions = ValueOf<typeof imageFolderOptions>

const packOptions = group('how a folder of images is packed', {
  ...imageFolderSettings,
  overwrite: flag('whether a file that is there already is replaced').default(false),
} satisfies Rows<PackFolderOptions>)

/** Changes whenever the same files would be decoded to other pixels: packed files of before are made again. */
const DECODING = 2

/**
 * Opens a folder of images: `train/CLASS/*` with `val/CLASS/*`, `test/CLASS/*` or both, or `CLASS/*`; see scanFolder for
 * what is held out of what. JPEG, PNG, WebP, GIF, TIFF, BMP and AVIF; see decodeImage for what is done to each. Classes are sorted by name.
 * @throws InvalidArgumentError if there is no such folder; FormatError naming what is missing, or the images that cannot be read
 */
export async function imageFolder(folder: string, options: ImageFolderOptions = {}): Promise<LoadedData> {
  pathArgument.parse(folder, 'folder')
  const settled = imageFolderOptions.parse(options, '')
  return (await findImageFolder(folder, settled)).open(settled)
}

/**
 * Looks what a folder of images holds, without decoding them; what it opens is what imageFolder does.
 * @throws as imageFolder, but knows nothing of images that cannot be read
 */
export async function findImageFolder(folder: string, options: SettledFolderOptions): Promise<FoundData> {
  const scan = scanFolder(folder, options)
  const sized = await sizeOf(folder, scan, options)
  const whole = describe(folder, scan, sized, options)
  const test = options.purpose === 'test' ? testPart(folder, scan) : undefined
  const part = test && describe(folder, test, sized, options, 'test')
  const { name, imageShape, classes } = whole.description
  const { skipBad, purpose, resizing } = options
  const how = { skipBad, purpose, ...(resizing && { resizing }) }
  const jobs = part === undefined ? ([whole] as const) : ([part, whole] as const)
  const open = async (load = {}) => ({
    ...(await openFolder(folder, jobs, { ...load, ...how })),
    sizeFrom: sized.sizeFrom,
  })
  return { name, imageShape, classes, sizeFrom: sized.sizeFrom, open }
}

/** The first of the packed files that is there; else the first is made. */
async function openFolder(folder: string, jobs: readonly [Job, ...Job[]], options: PackOptions): Promise<LoadedData> {
  for (const job of jobs) {
    const before = packedBefore(folder, job, options)
    if (before !== undefined) return before
  }
  const [job] = jobs
  const path = packedPath(folder, job, options)
  await inCache(() => packFolder(folder, path, job.scan, job.description, options))
  return openPacked(path)
}

const packedPath = (folder: string, { key }: Job, options: PackOptions): string =>
  join(cacheFolderIn(options), `${basename(resolve(folder))}-${key}${PACKED_EXTENSION}`)

/** What was decoded before, if it is what it would be now, and enough. */
function packedBefore(folder: string, job: Job, options: PackOptions): LoadedData | undefined {
  const { scan, description } = job
  const path = packedPath(folder, job, options)
  if (!existsSync(path)) return undefined
  try {
    const { source, skipped } = readManifest(path)
    const isCurrent = source === description.source
    const without = new Set(skipped)
    const leftOut = scan.images.filter(({ path }) => without.has(path))
    // What was packed to measure a model may lack what it takes to train one: packing it again says what.
    if (isCurrent && missingPart(scan, leftOut, options.purpose) === undefined) {
      const data = openPacked(path)
      if (skipped.length > 0) options.onNotice?.(`left out ${badImages(skipped, scan.images.length)}`)
      return data
    }
    if (!isCurrent) options.onNotice?.(`'${folder}' has changed: decoding its images again`)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    options.onNotice?.(`${error.message}: decoding the images again`)
  }
  return undefined
}

const packArguments = { folder: pathArgument, path: pathArgument }

/** How a folder is packed. */
export interface PackFolderOptions extends ImageFolderOptions {
  /** Replaces a file that is there already. Default: it is an error. */
  readonly overwrite?: boolean
}

/**
 * Decodes a folder of images into a packed file at `path`, to be used as a data set of its own.
 * @returns what the file holds, and why its images have the size that they have
 * @throws as imageFolder; FoveaError if the file exists already, unless it is to be overwritten
 */
export async function packImageFolder(
  folder: string,
  path: string,
  options: PackFolderOptions = {},
): Promise<PackedManifest & { readonly sizeFrom: SizeFrom }> {
  checkArguments(packArguments, { folder, path })
  const { overwrite, ...settled } = packOptions.parse(options, '')
  if (!overwrite) checkNewFile(path)
  const scan = scanFolder(folder, settled)
  const sized = await sizeOf(folder, scan, settled)
  await packFolder(folder, path, scan, describe(folder, scan, sized, settled).description, settled)
  return { ...readManifest(path), sizeFrom: sized.sizeFrom }
}

/** A packed file that is made of a folder. */
interface Job {
  readonly scan: FolderScan
  /** Tells apart the packed files of different folders and options. */
  readonly key: string
  /** Its `source` tells whether a packed file is still that of the folder. */
  readonly description: PackedDescription
}

/** The size of a folder's images, and why they have it. */
interface Sized {
  readonly size: readonly [number, number]
  readonly sizeFrom: SizeFrom
}

/** @param part which of the images, if not all */
function describe(
  folder: string,
  scan: FolderScan,
  { size: [height, width] }: Sized,
  { skipBad, heldOut, splitSeed, channels, resizing }: SettledFolderOptions,
  part?: 'test',
): Job {
  const imageShape: [number, number, number] = [height, width, channels]
  const some = [...(resizing ? [resizing] : []), ...(part ? [part] : [])]
  const what = JSON.stringify([DECODING, imageShape, skipBad, heldOut, splitSeed, ...some])
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
  return {
    scan,
    key: hash(resolve(folder) + what).slice(0, 12),
    description: {
      name: basename(resolve(folder)),
      imageShape,
      classes: [...scan.classes],
      source: hash(scan.state + what),
    },
  }
}

async function sizeOf(
  folder: string,
  { images }: FolderScan,
  { size, defaultSize, maxSize }: SettledFolderOptions,
): Promise<Sized> {
  if (size !== undefined) return { size: typeof size === 'number' ? [size, size] : size, sizeFrom: 'asked' }
  if (defaultSize !== undefined) return { size: defaultSize, sizeFrom: 'model' }
  const paths = images.map(({ path }) => path)
  const typical = await typicalSide(folder, paths)
  return typical > maxSize
    ? { size: [maxSize, maxSize], sizeFrom: 'most' }
    : { size: [typical, typical], sizeFrom: 'median' }
}
