/**
 * @file Packed data sets (`*.fovea-data`): decoded images of one size, in one file that is read without decoding.
 *
 *     magic "FOVEADAT", version (uint32), 0 (uint32)
 *     pixels of the training images, of those of validation, if there are any, of the test: NHWC, 8 bits a channel
 *     labels in the same order: uint16
 *     manifest: JSON, see `manifestSchema`
 *     manifest length (uint32), version (uint32), magic "FOVEAEND"
 *
 * Numbers are little-endian. The manifest stands last, so that the file is written in one pass; a file that was cut
 * short has no end mark. Version 1 had no validation images and no facts, and is else the same.
 */
import { createHash, type Hash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { type Dataset, FormatError } from 'fovea'
import { checkArguments, number } from 'fovea/engine'
import { z } from 'zod'
import { diskError, writeFileAtomic } from '../files.js'
import { foveaCommand } from '../shell.js'
import { decodedFactsSchema } from './folder-facts.js'
import type { LoadedData } from './found-data.js'
import { imageHash, joinHashes, splitHashes } from './image-hash.js'
import { pathArgument } from './options.js'
import { type StoredImages, sharedBytes, sharedLabels } from './stored-dataset.js'
import { preparedAhead } from './worker-loader.js'

export const PACKED_EXTENSION = '.fovea-data'

const VERSION = 2
const READS = [1, VERSION]
const MAGIC = 'FOVEADAT'
const END = 'FOVEAEND'
/** Bytes of the header, and of the end mark. */
const MARK = 16
const MAX_MANIFEST_BYTES = 64 << 20
/** Images of up to this many bytes in all are read into memory; larger sets are read from the file, image by image. */
const MAX_MEMORY_BYTES = 1e9

const SPLITS = ['train', 'validation', 'test'] as const
export type SplitName = (typeof SPLITS)[number]

const dimension = z.int().min(1).max(65535)
/** What was packed to measure a model may lack images to train on, or held-out ones. */
const splitSchema = z.object({
  count: z
    .int()
    .min(0)
    .max(2 ** 32 - 1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** The hashes of the images, one after another (image-hash.ts), in base64. Files of before have none. */
  hashes: z.string().optional(),
})
type PackedSplit = z.infer<typeof splitSchema>

const manifestSchema = z.object({
  name: z.string().max(1000),
  imageShape: z.tuple([dimension, dimension, z.int().min(1).max(4)]),
  classes: z.array(z.string().max(1000)).min(1).max(65535),
  /** A hash of what the images were made from: paths, sizes, times and options. */
  source: z.string().max(1000),
  /** Files left out because they cannot be read. */
  skipped: z.array(z.string()),
  /** Of a folder of images. */
  facts: decodedFactsSchema.optional(),
  splits: z.object({ train: splitSchema, validation: splitSchema.optional(), test: splitSchema }),
})

/** What a packed file says about itself. */
export type PackedManifest = z.infer<typeof manifestSchema>

export interface PackedImage {
  readonly split: SplitName
  readonly label: number
  /** height × width × channels bytes */
  readonly pixels: Uint8Array
}

/** What is known of a data set before its images are. */
export type PackedDescription = Pick<PackedManifest, 'name' | 'imageShape' | 'classes' | 'source'>

/** What is known of it once they are. */
export type FoundWhilePacking = Pick<PackedManifest, 'skipped' | 'facts'>

/**
 * Writes a packed file, whole or not at all.
 * @param images all training images, then all of validation, then all test images
 * @param found asked for at the end: the files left out by then, and what is to be said of a folder
 * @throws FormatError if there are no images; FoveaError if the disk refuses
 */
export async function writePacked(
  path: string,
  description: PackedDescription,
  images: Iterable<PackedImage> | AsyncIterable<PackedImage>,
  found: () => FoundWhilePacking = () => ({ skipped: [] }),
): Promise<void> {
  await writeFileAtomic(path, packedBytes(description, images, found))
}

async function* packedBytes(
  description: PackedDescription,
  images: Iterable<PackedImage> | AsyncIterable<PackedImage>,
  found: () => FoundWhilePacking,
): AsyncGenerator<Uint8Array> {
  const start = Buffer.alloc(MARK)
  start.write(MAGIC, 'latin1')
  start.writeUInt32LE(VERSION, 8)
  yield start

  const labels: Record<SplitName, number[]> = { train: [], validation: [], test: [] }
  const sha256 = (): Hash => createHash('sha256')
  const content: Record<SplitName, Hash> = { train: sha256(), validation: sha256(), test: sha256() }
  const hashes: Record<SplitName, string[]> = { train: [], validation: [], test: [] }
  let chunk: Uint8Array[] = []
  let chunkBytes = 0
  for await (const { split, label, pixels } of images) {
    labels[split].push(label)
    content[split].update(pixels)
    hashes[split].push(imageHash(pixels))
    chunk.push(pixels)
    chunkBytes += pixels.length
    if (chunkBytes < 1 << 20) continue
    yield Buffer.concat(chunk)
    chunk = []
    chunkBytes = 0
  }
  yield* chunk
  if (SPLITS.every(split => labels[split].length === 0)) throw noImages(description.name, found().skipped)
  const splits = Object.fromEntries(
    SPLITS.flatMap(split => {
      if (split === 'validation' && labels[split].length === 0) return []
      content[split].update(Uint16Array.from(labels[split]))
      const [count, sha256] = [labels[split].length, content[split].digest('hex')]
      return [[split, { count, sha256, hashes: joinHashes(hashes[split]).toString('base64') }]]
    }),
  )
  for (const split of SPLITS) yield new Uint8Array(Uint16Array.from(labels[split]).buffer)
  const manifest = Buffer.from(JSON.stringify({ ...description, ...found(), splits }))
  yield manifest
  const end = Buffer.alloc(MARK)
  end.writeUInt32LE(manifest.length, 0)
  end.writeUInt32LE(VERSION, 4)
  end.write(END, 8, 'latin1')
  yield end
}

function noImages(name: string, skipped: readonly string[]): FormatError {
  const more = skipped.length > 5 ? ` and ${skipped.length - 5} more` : ''
  const leftOut = skipped.length > 0 ? `; left out: ${skipped.slice(0, 5).join(', ')}${more}` : ''
  return new FormatError(`data set '${name}' has no images${leftOut}`)
}

/** Whether a file begins as a packed data set does. */
export function isPacked(path: string): boolean {
  return withFile(path, file => file.size >= MARK && file.read(0, 8).toString('latin1') === MAGIC)
}

/**
 * What a packed file holds, without reading its images.
 * @throws FormatError if it is no packed file, of another version, or cut short
 */
export const readManifest = (path: string): PackedManifest =>
  withFile(pathArgument.parse(path, 'path'), file => manifestOf(path, file).manifest)

const openArguments = { path: pathArgument, maxMemoryBytes: number('of images that are read into memory', { from: 0 }) }

/**
 * Opens a packed file. Up to 1 GB of images are read into shared memory and checked against their hash; more are
 * left in the file and read as batches need them. Batches are prepared on a worker.
 * @throws FormatError if the file is not what it claims to be
 */
export function openPacked(path: string, maxMemoryBytes = MAX_MEMORY_BYTES): LoadedData {
  checkArguments(openArguments, { path, maxMemoryBytes })
  return withFile(path, file => {
    const { manifest, labelsAt } = manifestOf(path, file)
    const { name, imageShape, classes, splits, facts } = manifest
    const imageBytes = imageShape[0] * imageShape[1] * imageShape[2]
    const inMemory = labelsAt - MARK <= maxMemoryBytes
    let images = 0
    const open = (split: SplitName, { count, sha256, hashes }: PackedSplit): Dataset => {
      const firstImage = images
      images += count
      const offset = MARK + firstImage * imageBytes
      const packed = file.read(labelsAt + 2 * firstImage, 2 * count)
      const labels = sharedLabels(new Uint16Array(packed.buffer, packed.byteOffset, count))
      if (labels.some(label => label >= classes.length)) throw damaged(path, 'a label is no class')
      let pixels: StoredImages['pixels'] = { file: path, offset }
      if (inMemory) {
        pixels = { bytes: file.readInto(offset, sharedBytes(count * imageBytes)) }
        const hash = createHash('sha256').update(pixels.bytes).update(packed).digest('hex')
        if (hash !== sha256) throw damaged(path, `the ${split} images do not have the hash that was written`)
      }
      const known = hashes === undefined ? undefined : splitHashes(Buffer.from(hashes, 'base64'))
      if (known && known.length !== count) throw damaged(path, `it has hashes of ${known.length} of ${count} images`)
      const stored = { name: `${name}/${split}`, imageShape, classes, fingerprint: sha256, labels, pixels }
      return { ...preparedAhead(stored), ...(known && { hashes: known }) }
    }
    return {
      train: open('train', splits.train),
      ...(splits.validation && { validation: open('validation', splits.validation) }),
      test: open('test', splits.test),
      ...(facts && { facts }),
    }
  })
}

const damaged = (path: string, why: string): FormatError =>
  new FormatError(`'${path}' is damaged: ${why}; delete it and pack the images again`)

function manifestOf(path: string, file: OpenFile): { manifest: PackedManifest; labelsAt: number } {
  const start = file.size >= MARK ? file.read(0, MARK) : Buffer.alloc(MARK)
  if (start.toString('latin1', 0, 8) !== MAGIC) throw new FormatError(`'${path}' is not a packed data set`)
  const version = start.readUInt32LE(8)
  if (!READS.includes(version)) {
    throw new FormatError(
      `'${path}' has version ${version} of the format, this Fovea reads ${READS.join(' and ')}; ` +
        `delete it and pack the images again: ${foveaCommand('data', 'pack', 'FOLDER', '--out', path)}`,
    )
  }
  const end = file.size >= 2 * MARK ? file.read(file.size - MARK, MARK) : Buffer.alloc(MARK)
  if (end.toString('latin1', 8) !== END) throw damaged(path, 'it was cut short')
  const length = end.readUInt32LE(0)
  if (length > MAX_MANIFEST_BYTES || length > file.size - 2 * MARK)
    throw damaged(path, 'its manifest has no place in it')
  const manifestAt = file.size - MARK - length
  const manifest = parseManifest(path, file.read(manifestAt, length).toString('utf8'))
  const [height, width, channels] = manifest.imageShape
  const { train, validation, test } = manifest.splits
  const images = train.count + (validation?.count ?? 0) + test.count
  const labelsAt = MARK + images * height * width * channels
  if (labelsAt + 2 * images !== manifestAt) throw damaged(path, `its size does not fit its ${images} images`)
  return { manifest, labelsAt }
}

function parseManifest(path: string, text: string): PackedManifest {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw damaged(path, 'its manifest is not JSON')
  }
  const parsed = manifestSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const { path: at, message } = parsed.error.issues[0]
  throw damaged(path, `its manifest is wrong at '${at.join('.')}': ${message}`)
}

interface OpenFile {
  readonly size: number
  read(offset: number, length: number): Buffer
  readInto(offset: number, target: Uint8Array): Uint8Array
}

/** Opens a file, hands it to `use`, and closes it. Lengths must have been checked against `size`. */
function withFile<T>(path: string, use: (file: OpenFile) => T): T {
  let descriptor = -1
  try {
    descriptor = openSync(path, 'r')
    const readInto = (offset: number, target: Uint8Array): Uint8Array => {
      for (let done = 0; done < target.length; ) {
        const got = readSync(descriptor, target, done, Math.min(target.length - done, 1 << 30), offset + done)
        if (got === 0) throw damaged(path, 'it was cut short')
        done += got
      }
      return target
    }
    return use({
      size: fstatSync(descriptor).size,
      readInto,
      read: (offset, length) => readInto(offset, Buffer.from(new ArrayBuffer(length))) as Buffer,
    })
  } catch (error) {
    throw diskError(error, path, 'read')
  } finally {
    if (descriptor >= 0) closeSync(descriptor)
  }
}
