/** @file What `--data` may say: the name of a data set, a folder of images, or a packed file. */
import { statSync } from 'node:fs'
import { extname } from 'node:path'
import { type DataSplits, FormatError, InvalidArgumentError, nearestNames } from 'fovea'
import { cifar10 } from './cifar10.js'
import { fashionMnist } from './fashion-mnist.js'
import { type ImageFolderOptions, imageFolder } from './image-folder.js'
import { isPacked, openPacked } from './packed-file.js'

/** Data sets with a name. */
const DATASETS: Readonly<Record<string, (options: ImageFolderOptions) => Promise<DataSplits>>> = {
  cifar10,
  'fashion-mnist': fashionMnist,
}

export const datasetNames: readonly string[] = Object.keys(DATASETS)

/**
 * Opens what `--data` names. `size`, `skipBad`, `heldOut` and `splitSeed` are for image folders.
 * @throws InvalidArgumentError if there is nothing of that name; the errors of each kind of data set
 */
export async function openDataset(spec: string, options: ImageFolderOptions = {}): Promise<DataSplits> {
  if (Object.hasOwn(DATASETS, spec)) return DATASETS[spec](options)
  const state = statSync(spec, { throwIfNoEntry: false })
  if (state?.isDirectory()) return imageFolder(spec, options)
  if (state?.isFile()) {
    if (isPacked(spec)) return openPacked(spec)
    const advice = ARCHIVES.includes(extname(spec)) ? 'unpack it and name the folder' : 'name a folder of images'
    throw new FormatError(`'${spec}' is not a packed data set; ${advice}`)
  }
  const near = nearestNames(spec, datasetNames)
  throw new InvalidArgumentError(
    `no data set, folder or file '${spec}'.${near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : ''} ` +
      `Known: ${datasetNames.join(', ')}, a folder of images (train/CLASS/* and test/CLASS/*, or CLASS/*), a packed file`,
  )
}

const ARCHIVES: readonly string[] = ['.zip', '.tar', '.gz', '.tgz', '.bz2', '.xz', '.7z']
