/** @file What `--data` may say: the name of a data set, a folder of images, or a packed file. */
import { statSync } from 'node:fs'
import { extname } from 'node:path'
import { FormatError, InvalidArgumentError, nearestNames, type Resizing } from 'fovea'
import { cifar10Description, openCifar10 } from './cifar10.js'
import { fashionMnistDescription, openFashionMnist } from './fashion-mnist.js'
import type { FoundData, LoadedData } from './found-data.js'
import {
  findImageFolder,
  type ImageFolderOptions,
  imageFolderOptions,
  type SettledFolderOptions,
} from './image-folder.js'
import { loadOptions, loadOptionsIn, pathArgument } from './options.js'
import { isPacked, openPacked, readManifest } from './packed-file.js'

/** Data sets with a name. */
const DATASETS: Readonly<Record<string, FoundData>> = {
  cifar10: { ...cifar10Description, open: async (load = {}) => openCifar10(load) },
  'fashion-mnist': { ...fashionMnistDescription, open: async (load = {}) => openFashionMnist(load) },
}

export const datasetNames: readonly string[] = Object.keys(DATASETS)

/**
 * Opens what `--data` names.
 * @throws as findDataset; the errors of each kind of data set
 */
export const openDataset = async (spec: string, options: ImageFolderOptions = {}): Promise<LoadedData> =>
  (await findDataset(spec, options)).open(loadOptionsIn(options))

/**
 * Finds what `--data` names, without downloading or decoding an image. `size` is for image folders only; what else is
 * theirs (`defaultSize`, `channels`, `skipBad`, …) other data sets need not heed.
 * @throws InvalidArgumentError if there is nothing of that name, or if it has another size than the one asked for
 */
export async function findDataset(spec: string, options: ImageFolderOptions = {}): Promise<FoundData> {
  pathArgument.parse(spec, 'spec')
  const found = await find(spec, imageFolderOptions.parse(options, ''))
  return { ...found, open: async (load = {}) => found.open(loadOptions.parse(load, '')) }
}

async function find(spec: string, options: SettledFolderOptions): Promise<FoundData> {
  if (Object.hasOwn(DATASETS, spec)) return ofItsOwnSize(spec, DATASETS[spec], options)
  const state = statSync(spec, { throwIfNoEntry: false })
  if (state?.isDirectory()) return findImageFolder(spec, options)
  if (state?.isFile()) {
    if (isPacked(spec))
      return ofItsOwnSize(spec, { ...readManifest(spec), open: async () => openPacked(spec) }, options)
    const advice = ARCHIVES.includes(extname(spec)) ? 'unpack it and name the folder' : 'name a folder of images'
    throw new FormatError(`'${spec}' is not a packed data set; ${advice}`)
  }
  const near = nearestNames(spec, datasetNames)
  throw new InvalidArgumentError(
    `no data set, folder or file '${spec}'.${near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : ''} ` +
      `Known: ${datasetNames.join(', ')}, a folder of images (train/CLASS/* and val/CLASS/*, or CLASS/*), a packed file`,
  )
}

/** Images that are decoded already have the size that they have: another one must not be asked for in vain. */
function ofItsOwnSize(spec: string, found: FoundData, { size, resizing }: SettledFolderOptions): FoundData {
  const data = resizing === undefined ? found : croppedAlready(spec, found, resizing)
  const [height, width] = data.imageShape
  const asked = typeof size === 'number' ? [size, size] : (size ?? [height, width])
  if (asked[0] === height && asked[1] === width) return data
  throw new InvalidArgumentError(
    `'${spec}' has images of ${height}×${width}, not ${asked.join('×')}: a size (--size) is for folders of images, leave it out`,
  )
}

/** Nor another crop. */
const croppedAlready = (spec: string, data: FoundData, { crop, interpolation }: Resizing): FoundData => ({
  ...data,
  open: load => {
    const how = `${percent(crop)} of the shorter side of a picture, resized by ${interpolation}`
    load?.onNotice?.(`'${spec}' has images that are cropped already: the model's own (${how}) is for folders of images`)
    return data.open(load)
  },
})

const percent = (part: number): string => `${Number((100 * part).toPrecision(3))} %`

const ARCHIVES: readonly string[] = ['.zip', '.tar', '.gz', '.tgz', '.bz2', '.xz', '.7z']
