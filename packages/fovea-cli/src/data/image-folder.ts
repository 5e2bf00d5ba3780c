/**
 * @file A folder of labelled photos as a data set: decoded once, on all cores, into a packed file, which later runs
 * read as long as the folder has not changed.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { type DataSplits, FormatError, FoveaError, InvalidArgumentError } from 'fovea'
import sharp from 'sharp'
import { decodeImage, imageSize } from './decode-image.js'
import { type FolderScan, type SplitOptions, scanFolder } from './folder-scan.js'
import { cacheFolder, type LoadOptions } from './options.js'
import {
  openPacked,
  PACKED_EXTENSION,
  type PackedImage,
  type PackedManifest,
  readManifest,
  writePacked,
} from './packed-file.js'

export interface ImageFolderOptions extends LoadOptions, SplitOptions {
  /**
   * Pixels of the square, or [height, width], that every image is resized and cropped to. Default: the shorter side of
   * the first image, at most `maxSize`.
   */
  readonly size?: number | readonly [number, number]
  /** Default 224. */
  readonly maxSize?: number
  /** Leave out images that cannot be read, naming them with `onNotice`. Default: they are an error. */
  readonly skipBad?: boolean
}

/** Changes whenever the same files would be decoded to other pixels: packed files of before are made again. */
const DECODING = 1
const DEFAULT_MAX_SIZE = 224
const MAX_SIZE = 4096

/**
 * Opens a folder of images: `train/CLASS/*` with `test/CLASS/*`, or `CLASS/*`, of which `heldOut` is split off.
 * JPEG, PNG and WebP; see decodeImage for what is done to each. Images are RGB, classes are sorted by name.
 * @throws InvalidArgumentError if there is no such folder; FormatError naming what is missing, or the images that cannot be read
 */
export async function imageFolder(folder: string, options: ImageFolderOptions = {}): Promise<DataSplits> {
  const scan = scanFolder(folder, options)
  const job = await describe(folder, scan, options)
  const path = join(cacheFolder(options), `${basename(resolve(folder))}-${job.key}${PACKED_EXTENSION}`)
  if (existsSync(path)) {
    try {
      const { source, skipped } = readManifest(path)
      if (source === job.source) {
        const data = openPacked(path)
        if (skipped.length > 0) options.onNotice?.(`left out ${badImages(skipped, scan.images.length)}`)
        return data
      }
      options.onNotice?.(`'${folder}' has changed: decoding its images again`)
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      options.onNotice?.(`${error.message}: decoding the images again`)
    }
  }
  await pack(folder, path, scan, job, options)
  return openPacked(path)
}

/**
 * Decodes a folder of images into a packed file at `path`, to be used as a data set of its own.
 * @returns what the file holds
 * @throws as imageFolder
 */
export async function packImageFolder(
  folder: string,
  path: string,
  options: ImageFolderOptions = {},
): Promise<PackedManifest> {
  const scan = scanFolder(folder, options)
  await pack(folder, path, scan, await describe(folder, scan, options), options)
  return readManifest(path)
}

interface Job {
  readonly size: readonly [number, number]
  /** Tells apart the packed files of different folders and options. */
  readonly key: string
  /** Tells whether a packed file is still that of the folder. */
  readonly source: string
}

async function describe(folder: string, scan: FolderScan, options: ImageFolderOptions): Promise<Job> {
  const { size, skipBad = false, heldOut = 0.2, splitSeed = 0 } = options
  const square =
    typeof size === 'number' ? ([size, size] as const) : (size ?? (await defaultSize(folder, scan, options)))
  if (!square.every(side => Number.isSafeInteger(side) && side >= 1 && side <= MAX_SIZE)) {
    throw new InvalidArgumentError(`the image size must be 1 to ${MAX_SIZE} pixels a side, not ${square.join('×')}`)
  }
  const what = JSON.stringify([DECODING, square, skipBad, heldOut, splitSeed])
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
  return { size: square, key: hash(resolve(folder) + what).slice(0, 12), source: hash(scan.state + what) }
}

async function defaultSize(
  folder: string,
  { images }: FolderScan,
  { maxSize = DEFAULT_MAX_SIZE }: ImageFolderOptions,
): Promise<readonly [number, number]> {
  for (const { path } of images) {
    const size = await imageSize(join(folder, path)).catch(() => undefined)
    if (!size) continue
    const side = Math.min(...size, maxSize)
    return [side, side]
  }
  throw new FormatError(`none of the ${images.length} images in '${folder}' can be read`)
}

async function pack(
  folder: string,
  path: string,
  scan: FolderScan,
  { size, source }: Job,
  options: ImageFolderOptions,
) {
  const start = performance.now()
  const bad: { path: string; reason: string }[] = []
  async function* decoded(): AsyncGenerator<PackedImage> {
    let done = 0
    const decode = ({ path }: { path: string }): Promise<Uint8Array | FoveaError> =>
      decodeImage(join(folder, path), [...size, 3]).catch((error: unknown) => {
        if (error instanceof FoveaError) return error
        throw error
      })
    for await (const [{ split, label, path }, result] of mapInOrder(scan.images, 4 * availableParallelism(), decode)) {
      if (result instanceof Error) bad.push({ path, reason: result.message })
      else yield { split, label, pixels: result }
      done++
      if (done % 64 === 0 || done === scan.images.length) {
        options.onProgress?.({ stage: 'decode', done, total: scan.images.length, unit: 'images' })
      }
    }
    if (bad.length > 0 && !options.skipBad) {
      const reasons = bad.map(({ reason }) => reason)
      throw new FormatError(
        `${badImages(reasons, scan.images.length)}. Repair or remove them, or leave them out with --skip-bad (skipBad: true)`,
      )
    }
  }
  // Images are decoded side by side, so each decoder keeps to one thread.
  const threads = sharp.concurrency()
  sharp.concurrency(1)
  try {
    const description = {
      name: basename(resolve(folder)),
      imageShape: [...size, 3] as [number, number, number],
      classes: [...scan.classes],
      source,
    }
    await writePacked(path, description, decoded(), () => bad.map(({ path }) => path))
  } finally {
    sharp.concurrency(threads)
  }
  if (bad.length > 0) {
    options.onNotice?.(
      `left out ${badImages(
        bad.map(({ reason }) => reason),
        scan.images.length,
      )}`,
    )
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  options.onNotice?.(`decoded ${scan.images.length - bad.length} images in ${seconds} s into '${path}'`)
}

/** `2 of 60 images that cannot be read: 'a.jpg' …; 'b.jpg' …`, at most five by name. */
function badImages(bad: readonly string[], total: number): string {
  const more = bad.length > 5 ? `; and ${bad.length - 5} more` : ''
  return `${bad.length} of ${total} images that cannot be read: ${bad.slice(0, 5).join('; ')}${more}`
}

/** Maps items side by side, at most `width` at a time, and yields the results in the items' order. */
async function* mapInOrder<T, R>(
  items: readonly T[],
  width: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<readonly [T, R]> {
  const running: Promise<R>[] = []
  for (let next = 0, done = 0; done < items.length; done++) {
    while (next < items.length && next - done < width) {
      const result = map(items[next++])
      result.catch(() => {}) // Reported when its turn comes.
      running.push(result)
    }
    yield [items[done], await (running.shift() as Promise<R>)]
  }
}
