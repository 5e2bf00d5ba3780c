/**
 * @file Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747): grey images of clothes, 28×28 pixels, 10 classes.
 * A class-balanced part (10,000 and 2,000 images) ships with this package; the whole set is read where a user has it.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DataSplits, type Dataset, FormatError, fingerprintOf } from 'fovea'
import { group, type Rows, text } from 'fovea/engine'
import { type FileLimit, readWhole } from '../files.js'
import { findCacheFolder } from './cache.js'
import { parseIdx } from './idx.js'
import { type LoadOptions, loadSettings } from './options.js'
import { sharedBytes, sharedLabels } from './stored-dataset.js'
import { preparedAhead } from './worker-loader.js'

export interface FashionMnistOptions extends Pick<LoadOptions, 'cache'> {
  /**
   * Where the four files of the original are (`train-images-idx3-ubyte`, with or without `.gz`, and so on). Default:
   * `fashion-mnist` in the cache folder if it is there, else the part that ships with this package.
   */
  readonly folder?: string
}

/** The part of the data set that ships with this package. */
export const embeddedFashionMnist: string = fileURLToPath(new URL('../../assets/fashion-mnist', import.meta.url))

/** The largest of the original's files has 47 MB. */
const LIMIT: FileLimit = { what: 'a file of Fashion-MNIST', maxBytes: 256 << 20 }

const CLASSES = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
]

/** What is known of it without its files. */
export const fashionMnistDescription = { name: 'fashion-mnist', imageShape: [28, 28, 1], classes: CLASSES } as const

const fashionMnistOptions = group('where Fashion-MNIST is', {
  cache: loadSettings.cache,
  folder: text('of the four files of the original').optional(),
} satisfies Rows<FashionMnistOptions>)

/**
 * Fashion-MNIST.
 * @throws FormatError naming the file that is missing or damaged
 */
export const fashionMnist = async (options: FashionMnistOptions = {}): Promise<DataSplits> =>
  openFashionMnist(fashionMnistOptions.parse(options, ''))

/** The same, of options that have been read. */
export async function openFashionMnist(options: FashionMnistOptions): Promise<DataSplits> {
  const cache = findCacheFolder(options)
  const own = cache && join(cache, 'fashion-mnist')
  const folder = options.folder ?? (own && existsSync(own) ? own : embeddedFashionMnist)
  return { train: open(folder, 'train', 'train'), test: open(folder, 'test', 't10k') }
}

function open(folder: string, split: string, prefix: string): Dataset {
  const images = read(folder, `${prefix}-images-idx3-ubyte`, 3)
  const labels = read(folder, `${prefix}-labels-idx1-ubyte`, 1)
  const [count, height, width] = images.shape
  if (count !== labels.shape[0] || count === 0 || height !== 28 || width !== 28) {
    throw new FormatError(
      `'${folder}': ${prefix} has images of ${images.shape.join('×')} and ${labels.shape[0]} labels; ` +
        'Fashion-MNIST has as many labels as images of 28×28',
    )
  }
  if (labels.data.some(label => label >= CLASSES.length)) {
    throw new FormatError(`'${folder}': ${prefix}-labels-idx1-ubyte holds labels above ${CLASSES.length - 1}`)
  }
  const bytes = sharedBytes(images.data.length)
  bytes.set(images.data)
  return preparedAhead({
    ...fashionMnistDescription,
    name: `fashion-mnist/${split}`,
    fingerprint: fingerprintOf(bytes, Int32Array.from(labels.data)),
    labels: sharedLabels(labels.data),
    pixels: { bytes },
  })
}

function read(folder: string, name: string, rank: number) {
  const path = [join(folder, `${name}.gz`), join(folder, name)].find(existsSync)
  if (!path) throw new FormatError(`'${folder}' lacks ${name}.gz, a file of Fashion-MNIST`)
  return parseIdx(path, readWhole(path, LIMIT), rank)
}
