/** @file Decodes the images of a folder, side by side, into a packed file; says which cannot be read, and when too many are none. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { FormatError, FoveaError, type Resizing } from 'fovea'
import { firstFew } from 'fovea/engine'
import { loadSharp } from '../sharp.js'
import { type DecodedImage, decodeFile } from './decode-image.js'
import type { DecodedFacts } from './folder-facts.js'
import type { FolderScan, FoundImage, Purpose } from './folder-scan.js'
import type { LoadOptions } from './options.js'
import { type PackedDescription, type PackedImage, writePacked } from './packed-file.js'
import { RepeatedImages } from './repeated-images.js'

export interface PackOptions extends LoadOptions {
  /** Leave out images that cannot be read, naming them with `onNotice`. Default: they are an error. */
  readonly skipBad?: boolean
  /** What the images are for. Default `train`. */
  readonly purpose?: Purpose
  /** How pictures are resized before they are cropped. Default: as decodeImage does. */
  readonly resizing?: Resizing
}

/** An image that cannot be read; the reason names the file. */
interface BadImage extends FoundImage {
  readonly reason: string
}

/**
 * Writes a packed file of the images that a scan found, whole or not at all.
 * @throws FormatError naming the images that cannot be read, or, with `skipBad`, the class or split of which none is left;
 *   FoveaError if the disk refuses
 */
export async function packFolder(
  folder: string,
  path: string,
  scan: FolderScan,
  description: PackedDescription,
  options: PackOptions,
): Promise<void> {
  const start = performance.now()
  const bad: BadImage[] = []
  const seen = new SeenImages(description.imageShape)
  const images = decodedImages(folder, scan, description.imageShape, { bad, seen }, options)
  // Images are decoded side by side, so each decoder keeps to one thread.
  const sharp = await loadSharp()
  const threads = sharp.concurrency()
  sharp.concurrency(1)
  try {
    await writePacked(path, description, images, () => ({
      skipped: bad.map(({ path }) => path),
      facts: { ...scan.facts, ...seen.facts },
    }))
  } finally {
    sharp.concurrency(threads)
  }
  if (bad.length > 0) options.onNotice?.(`left out ${badImages(bad.map(reasonOf), scan.images.length)}`)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  const count = scan.images.length - bad.length
  options.onNotice?.(`decoded ${count} image${count === 1 ? '' : 's'} in ${seconds} s into '${path}'`)
}

const reasonOf = ({ reason }: BadImage): string => reason

/** What decoding tells of a folder's images. */
class SeenImages {
  readonly #repeated = new RepeatedImages()
  #smallest: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  #largest: [number, number] = [0, 0]
  #enlarged = 0

  constructor(readonly imageShape: readonly [number, number, number]) {}

  add(image: FoundImage, { height, width, pixels }: DecodedImage): void {
    const shorter = Math.min(height, width)
    if (shorter < Math.min(...this.#smallest)) this.#smallest = [height, width]
    if (shorter > Math.min(...this.#largest)) this.#largest = [height, width]
    if (height < this.imageShape[0] || width < this.imageShape[1]) this.#enlarged++
    this.#repeated.add(image, pixels)
  }

  get facts(): Pick<DecodedFacts, 'smallest' | 'largest' | 'enlarged' | 'repeated'> {
    return {
      ...{ smallest: this.#smallest, largest: this.#largest, enlarged: this.#enlarged },
      repeated: this.#repeated.found,
    }
  }
}

/** The images in the order of the scan: those that are decoded go through `seen`, those that cannot be read to `bad`. */
async function* decodedImages(
  folder: string,
  scan: FolderScan,
  imageShape: readonly [number, number, number],
  { bad, seen }: { readonly bad: BadImage[]; readonly seen: SeenImages },
  { skipBad, purpose, resizing, onProgress, signal }: PackOptions,
): AsyncGenerator<PackedImage> {
  const { images } = scan
  const decode = ({ path }: FoundImage): Promise<DecodedImage | FoveaError> =>
    decodeFile(join(folder, path), { size: imageShape, ...(resizing && { resizing }) }).catch((error: unknown) => {
      if (error instanceof FoveaError) return error
      throw error
    })
  let done = 0
  for await (const [image, result] of mapInOrder(images, 4 * availableParallelism(), decode)) {
    signal?.throwIfAborted()
    if (result instanceof Error) bad.push({ ...image, reason: result.message })
    else {
      seen.add(image, result)
      yield { split: image.split, label: image.label, pixels: result.pixels }
    }
    done++
    if (done % 64 === 0 || done === images.length) {
      onProgress?.({ stage: 'decode', done, total: images.length, unit: 'images' })
    }
  }
  if (bad.length > 0 && !skipBad) {
    const advice = 'Repair or remove them, or leave them out with --skip-bad (skipBad: true)'
    throw new FormatError(`${badImages(bad.map(reasonOf), images.length)}. ${advice}`)
  }
  const missing = missingPart(scan, bad, purpose)
  if (missing === undefined) return
  const reasons = bad.filter(missing.holds).map(reasonOf)
  throw new FormatError(
    `${missing.what} left: ${reasons.length} were left out that cannot be read: ${firstFew(reasons)}; ` +
      'repair some or add others',
  )
}

/** Images of a folder without which it is of no use. */
interface Part {
  /** What is to be said when there are none. */
  readonly what: string
  readonly holds: (image: FoundImage) => boolean
}

/**
 * What a scan's images would lack without some of them: all images; to train on, the training images of a class, or a split.
 * @returns undefined if enough is left
 */
export function missingPart(
  { classes, images }: FolderScan,
  without: readonly FoundImage[],
  purpose: Purpose = 'train',
): Part | undefined {
  const parts: Part[] = [{ what: 'there are no images', holds: () => true }]
  if (purpose === 'train') {
    for (const own of new Set(without.map(({ label }) => label))) {
      const holds = ({ split, label }: FoundImage): boolean => split === 'train' && label === own
      parts.push({ what: `class '${classes[own]}' has no training images`, holds })
    }
    for (const own of new Set(without.map(({ split }) => split))) {
      parts.push({ what: `the ${own} split has no images`, holds: ({ split }) => split === own })
    }
  }
  return parts.find(({ holds }) => without.filter(holds).length >= images.filter(holds).length)
}

/** `2 of 60 images that cannot be read: 'a.jpg' …; 'b.jpg' …`. */
export const badImages = (bad: readonly string[], total: number): string =>
  `${bad.length} of ${total} images that cannot be read: ${firstFew(bad)}`

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
