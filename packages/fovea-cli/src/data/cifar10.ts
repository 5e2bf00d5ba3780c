/**
 * @file CIFAR-10 (Krizhevsky 2009, "Learning multiple layers of features from tiny images"): 50,000 training and 10,000
 * test images of 32×32 pixels, from the official binary archive, kept as a packed file after the first time.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type DataSplits, FormatError, FoveaError } from 'fovea'
import { group, type Rows, text, whole } from 'fovea/engine'
import { list, type ReadEntry } from 'tar'
import { cacheFolderIn, inCache } from './cache.js'
import { download, type RemoteFile } from './download.js'
import { type LoadOptions, loadSettings } from './options.js'
import {
  openPacked,
  PACKED_EXTENSION,
  type PackedImage,
  readManifest,
  type SplitName,
  writePacked,
} from './packed-file.js'

export interface Cifar10Options extends LoadOptions {
  /** Where the archive comes from. Default: its official address. */
  readonly archive?: RemoteFile
}

/** https://www.cs.toronto.edu/~kriz/cifar.html, "binary version". */
export const CIFAR10_ARCHIVE: RemoteFile = {
  url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
  sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
  bytes: 170_052_171,
}

const CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']

/** What is known of it without its files. */
export const cifar10Description = {
  name: 'cifar10',
  imageShape: [32, 32, 3] as [number, number, number],
  classes: CLASSES,
}

/** The archive's files that hold images; nothing else in it is read, and nothing is written out. */
const FILES: readonly (readonly [split: SplitName, entry: string])[] = [
  ...[1, 2, 3, 4, 5].map(i => ['train', `cifar-10-batches-bin/data_batch_${i}.bin`] as const),
  ['test', 'cifar-10-batches-bin/test_batch.bin'],
]
const PLANE = 32 * 32
/** A label byte, then a plane each of red, green and blue. */
const RECORD = 1 + 3 * PLANE
const MAX_RECORDS = 10_000

const cifar10Options = group('how CIFAR-10 is loaded', {
  ...loadSettings,
  archive: group('where the archive comes from', {
    url: text('its address'),
    sha256: text('of its bytes, hexadecimal'),
    bytes: whole('its length', { from: 1 }),
  } satisfies Rows<RemoteFile>).default(CIFAR10_ARCHIVE),
} satisfies Rows<Cifar10Options>)

/**
 * CIFAR-10. The first call downloads 163 MB into the cache folder and checks it; later calls read a packed file.
 * @throws FoveaError if it cannot be downloaded, saying which file to put where; FormatError if it is not the archive
 */
export const cifar10 = async (options: Cifar10Options = {}): Promise<DataSplits> =>
  openCifar10(cifar10Options.parse(options, ''))

/** The same, of options that have been read. */
export async function openCifar10(options: Cifar10Options): Promise<DataSplits> {
  const { archive = CIFAR10_ARCHIVE } = options
  const folder = cacheFolderIn(options)
  const packed = join(folder, `cifar10${PACKED_EXTENSION}`)
  if (existsSync(packed)) {
    try {
      if (readManifest(packed).source === archive.sha256) return openPacked(packed)
      throw new FoveaError(`'${packed}' holds other images than CIFAR-10's: move it to another place`)
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      options.onNotice?.(`${error.message}: unpacking CIFAR-10 again`)
    }
  }
  const path = join(folder, 'cifar-10-binary.tar.gz')
  await inCache(async () => {
    await download(path, archive, options)
    const files = await readEntries(path)
    await writePacked(packed, { ...cifar10Description, source: archive.sha256 }, records(files, options))
  })
  return openPacked(packed)
}

/** The archive's files of images, in memory; an entry's size is checked before any of it is kept. */
async function readEntries(path: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  let failure: FormatError | undefined
  const take = (entry: ReadEntry): void => {
    if (!FILES.some(([, name]) => name === entry.path)) return void entry.resume()
    if (entry.type !== 'File' || entry.size % RECORD !== 0 || entry.size > MAX_RECORDS * RECORD || entry.size === 0) {
      failure ??= new FormatError(`'${path}': '${entry.path}' has ${entry.size} bytes, not records of ${RECORD}`)
      return void entry.resume()
    }
    const chunks: Buffer[] = []
    entry.on('data', (chunk: Buffer) => chunks.push(chunk))
    entry.on('end', () => files.set(entry.path, Buffer.concat(chunks)))
  }
  try {
    await list({ file: path, onReadEntry: take, strict: true })
  } catch (error) {
    throw new FormatError(`'${path}' cannot be unpacked: ${error instanceof Error ? error.message : error}`)
  }
  if (failure) throw failure
  const missing = FILES.filter(([, name]) => !files.has(name)).map(([, name]) => name)
  if (missing.length > 0) throw new FormatError(`'${path}' lacks ${missing.join(', ')}`)
  return files
}

function* records(files: ReadonlyMap<string, Buffer>, { onProgress, signal }: LoadOptions): Generator<PackedImage> {
  const total = [...files.values()].reduce((sum, file) => sum + file.length / RECORD, 0)
  let done = 0
  for (const [split, name] of FILES) {
    const file = files.get(name) as Buffer
    for (let at = 0; at < file.length; at += RECORD) {
      const label = file[at]
      if (label >= CLASSES.length) throw new FormatError(`'${name}': image ${at / RECORD} has label ${label}`)
      const pixels = new Uint8Array(3 * PLANE)
      for (let i = 0; i < PLANE; i++) {
        for (let c = 0; c < 3; c++) pixels[3 * i + c] = file[at + 1 + c * PLANE + i]
      }
      yield { split, label, pixels }
      if (++done % 1000 !== 0) continue
      signal?.throwIfAborted()
      onProgress?.({ stage: 'unpack', done, total, unit: 'images' })
    }
  }
}
