/**
 * @file Which images a folder holds, of which class and split, found without opening any. Two layouts:
 * `train/CLASS/*` with `test/CLASS/*` (or `val`, `validation`), and `CLASS/*`, which is split by a seed.
 */
import { createHash } from 'node:crypto'
import { type Dirent, readdirSync, statSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { FormatError, InvalidArgumentError, splitLabels } from 'fovea'
import { diskError } from '../files.js'
import { IMAGE_EXTENSIONS } from './decode-image.js'
import type { SplitName } from './packed-file.js'

export interface FoundImage {
  readonly split: SplitName
  readonly label: number
  /** Relative to the folder. */
  readonly path: string
}

export interface FolderScan {
  /** Class names, sorted: the order of the labels. */
  readonly classes: readonly string[]
  /** Training images first; within a split by class, then by name. */
  readonly images: readonly FoundImage[]
  /** SHA-256 of paths, sizes and times of change: differs when any image may have changed. */
  readonly state: string
}

export interface SplitOptions {
  /** How much of each class is held out where the folder has no test images of its own. Default 0.2. */
  readonly heldOut?: number
  /** Chooses the images held out; not the seed of a training run, so that every run and evaluation agree. Default 0. */
  readonly splitSeed?: number
}

/** What held-out images' folders are called, best first. */
const TEST_FOLDERS = ['test', 'val', 'validation'] as const

/**
 * Lists the images of a folder.
 * @throws InvalidArgumentError if there is no such folder; FormatError if it has no images or fewer than two classes
 */
export function scanFolder(folder: string, { heldOut = 0.2, splitSeed = 0 }: SplitOptions = {}): FolderScan {
  const top = foldersIn(folder, folder)
  const test = TEST_FOLDERS.find(name => top.includes(name))
  const trainIsSplit =
    top.includes('train') && (test !== undefined || foldersIn(folder, join(folder, 'train')).length > 0)
  const train = listClasses(folder, trainIsSplit ? 'train' : '.')
  const classes = [...train.keys()]
  checkClasses(folder, train, trainIsSplit)
  const images: FoundImage[] = []
  const add = (split: SplitName, label: number, path: string): void => {
    images.push({ split, label, path })
  }
  if (trainIsSplit && test) {
    for (const [name, paths] of train) {
      for (const path of paths) add('train', classes.indexOf(name), path)
    }
    for (const [name, paths] of listClasses(folder, test)) {
      const label = classes.indexOf(name)
      if (label < 0 && paths.length > 0) {
        throw new FormatError(`'${join(folder, test)}' has class '${name}', which '${join(folder, 'train')}' lacks`)
      }
      for (const path of paths) add('test', label, path)
    }
    if (images.every(({ split }) => split === 'train')) throw noImages(join(folder, test))
  } else {
    if (!(heldOut > 0 && heldOut < 1)) {
      throw new InvalidArgumentError(`the fraction held out must lie between 0 and 1, not ${heldOut}`)
    }
    const all = [...train].flatMap(([name, paths]) => paths.map(path => ({ label: classes.indexOf(name), path })))
    const isTest = splitLabels(
      Int32Array.from(all, ({ label }) => label),
      classes.length,
      heldOut,
      splitSeed,
    )
    for (const split of ['train', 'test'] as const) {
      for (const [i, { label, path }] of all.entries()) {
        if (isTest[i] === (split === 'test' ? 1 : 0)) add(split, label, path)
      }
    }
    if (images.every(({ split }) => split === 'train')) {
      throw new FormatError(`'${folder}' has one image a class: there is none to hold out; add images`)
    }
  }
  return { classes, images, state: stateOf(folder, images) }
}

/** The images of each class below `folder/under`, by class, sorted. */
function listClasses(folder: string, under: string): Map<string, string[]> {
  const classes = foldersIn(folder, join(folder, under))
  return new Map(
    classes.map(name => {
      const files = entriesOf(join(folder, under, name)).map(entry => entry.name)
      return [
        name,
        files
          .filter(isImageName)
          .sort()
          .map(file => join(under, name, file)),
      ]
    }),
  )
}

function checkClasses(folder: string, classes: ReadonlyMap<string, string[]>, trainIsSplit: boolean): void {
  const where = trainIsSplit ? join(folder, 'train') : folder
  if ([...classes.values()].every(paths => paths.length === 0)) throw noImages(where)
  const empty = [...classes].filter(([, paths]) => paths.length === 0).map(([name]) => name)
  if (empty.length > 0) {
    throw new FormatError(
      `no images (${IMAGE_EXTENSIONS.join(' ')}) in class folder${empty.length > 1 ? 's' : ''} ` +
        `${empty.map(name => `'${join(where, name)}'`).join(', ')}; add some or remove the folder`,
    )
  }
  if (classes.size < 2) {
    throw new FormatError(
      `'${where}' has one class, '${[...classes.keys()][0]}': a classifier needs two or more folders of images`,
    )
  }
}

function noImages(folder: string): FormatError {
  const loose = entriesOf(folder).filter(({ name }) => isImageName(name)).length
  const found =
    loose > 0
      ? `'${folder}' holds ${loose} image${loose > 1 ? 's' : ''} but no class folders: put them into a folder for each class`
      : `no images in '${folder}': expected a folder for each class with ${IMAGE_EXTENSIONS.join(' ')} files`
  return new FormatError(`${found}, as in '${join(folder, 'cat', '1.jpg')}', or train/CLASS/* and test/CLASS/*`)
}

const isImageName = (name: string): boolean =>
  !name.startsWith('.') && IMAGE_EXTENSIONS.some(extension => extension === extname(name).toLowerCase())

function foldersIn(dataFolder: string, folder: string): string[] {
  const isFolder = (entry: Dirent): boolean =>
    entry.isDirectory() ||
    (entry.isSymbolicLink() && statSync(join(folder, entry.name), { throwIfNoEntry: false })?.isDirectory() === true)
  const state = statSync(folder, { throwIfNoEntry: false })
  if (!state) throw new InvalidArgumentError(`there is no data folder '${dataFolder}'`)
  if (!state.isDirectory()) throw new InvalidArgumentError(`'${folder}' is a file, not a folder of images`)
  return entriesOf(folder)
    .filter(entry => !entry.name.startsWith('.') && isFolder(entry))
    .map(entry => entry.name)
    .sort()
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    throw diskError(error, folder, 'read')
  }
}

function stateOf(folder: string, images: readonly FoundImage[]): string {
  const hash = createHash('sha256').update(basename(folder))
  for (const { split, label, path } of images) {
    const file = statSync(join(folder, path), { throwIfNoEntry: false })
    hash.update(`${split}\0${label}\0${path}\0${file?.size ?? -1}\0${file?.mtimeMs ?? -1}\n`)
  }
  return hash.digest('hex')
}
