/** @file Decodes the images of a folder, side by side, into a packed file; says which cannot be read, and when too many are none. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { FormatError, FoveaError } from 'fovea'
import sharp from 'sharp'
import { type DecodedImage, decodeFile } from './decode-image.js'
import type { DecodedFacts } from './folder-facts.js'
import type { FolderScan, FoundImage } from './folder-scan.js'
import type { LoadOptions } from './options.js'
import { type PackedDescription, type PackedImage, writePacked } from './packed-file.js'
import { RepeatedImages } from './repeated-images.js'

export interface PackOptions extends LoadOptions {
  /** Leave out images that cannot be read, naming them with `onNotice`. Default: they are an error. */
  readonly skipBad?: boolean
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
  options.onNotice?.(`decoded ${scan.images.length - bad.length} images in ${seconds} s into '${path}'`)
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
  { images, classes }: FolderScan,
  imageShape: readonly [number, number, number],
  { bad, seen }: { readonly bad: BadImage[]; readonly seen: SeenImages },
  { skipBad, onProgress, signal }: PackOptions,
): AsyncGenerator<PackedImage> {
  const decode = ({ path }: FoundImage): Promise<DecodedImage | FoveaError> =>
    decodeFile(join(folder, path), imageShape).catch((error: unknown) => {
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
  checkLeft(classes, images, bad)
}

/** @throws FormatError if a class has no training image left, or a split none at all */
function checkLeft(classes: readonly string[], images: readonly FoundImage[], bad: readonly BadImage[]): void {
  const check = (what: string, isPart: (image: FoundImage) => boolean): void => {
    const lost = bad.filter(isPart).map(reasonOf)
    if (lost.length < images.filter(isPart).length) return
    throw new FormatError(
      `${what} left: ${lost.length} were left out that cannot be read: ${firstFew(lost)}; repair some or add others`,
    )
  }
  for (const label of new Set(bad.map(({ label }) => label))) {
    check(`class '${classes[label]}' has no training images`, image => image.split === 'train' && image.label === label)
  }
  for (const split of new Set(bad.map(({ split }) => split))) {
    check(`the ${split} split has no images`, image => image.split === split)
  }
}

/** `2 of 60 images that cannot be read: 'a.jpg' …; 'b.jpg' …`. */
export const badImages = (bad: readonly string[], total: number): string =>
  `${bad.length} of ${total} images that cannot be read: ${firstFew(bad)}`

/** At most five by name. */
const firstFew = (texts: readonly string[]): string =>
  `${texts.slice(0, 5).join('; ')}${texts.length > 5 ? `; and ${texts.length - 5} more` : ''}`

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
