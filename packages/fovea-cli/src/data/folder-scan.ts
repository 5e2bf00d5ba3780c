/**
 * @file Which images a folder holds, of which class and split, found without decoding any: `train/CLASS/*` beside
 * validation or test images, or `CLASS/*` alone; what is missing is held out by a seed.
 */
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { basename, join, sep } from 'node:path'
import { FormatError, InvalidArgumentError, nearestNames, splitLabels } from 'fovea'
import { type FolderFacts, formatEndings } from './folder-facts.js'
import { type Endings, type FolderFiles, filesIn, foldersIn, looseFiles } from './image-files.js'
import { formatNames } from './image-formats.js'
import type { SplitName } from './packed-file.js'
import { findSplits } from './split-folders.js'

export interface FoundImage {
  readonly split: SplitName
  readonly label: number
  /** Relative to the folder. */
  readonly path: string
}

export interface FolderScan {
  /** Class names, sorted: the order of the labels. */
  readonly classes: readonly string[]
  /** Training images first, then those held out; within a split by class, then by name. */
  readonly images: readonly FoundImage[]
  readonly facts: FolderFacts
  /** SHA-256 of paths, sizes and times of change: differs when any image may have changed. */
  readonly state: string
}

/**
 * To measure a model, a single image is enough, and classes need not be among those to train on. `test`: to measure one that was trained on
 * none of them, for which test images suffice where the folder has its own.
 */
export type Purpose = 'train' | 'measure' | 'test'

export interface SplitOptions {
  /** What the images are for. Default `train`. */
  readonly purpose?: Purpose
  /** How much of each class is held out where the folder has no validation images of its own. Default 0.2. */
  readonly heldOut?: number
  /** Chooses the images held out; not the seed of a training run, so that every run and evaluation agree. Default 0. */
  readonly splitSeed?: number
}

/**
 * Lists the images of a folder, a class's with those in all folders below it. Names of classes are in Unicode's normal form
 * C. Where there are no test images, those of validation are both; where there are no validation images, some of those to
 * train on are held out for it; where there is neither, for the test.
 * @throws InvalidArgumentError if there is no such folder; FormatError if it has no images or, to train on, fewer than two
 *   classes, an empty one, none to hold out, or held-out images of another class
 */
export function scanFolder(
  folder: string,
  { purpose = 'train', heldOut = 0.2, splitSeed = 0 }: SplitOptions = {},
): FolderScan {
  const { folders, unused } = findSplits(folder)
  const train = listClasses(folder, folders.train)
  checkClasses(join(folder, folders.train), train, purpose)
  const both = folders.validation !== undefined && folders.test !== undefined
  const listed = {
    validation: both ? listHeldOut(folder, folders.validation, train, purpose) : undefined,
    test: listHeldOut(folder, folders.test ?? folders.validation, train, purpose),
  }
  const lists = [train, listed.validation, listed.test].filter(list => list !== undefined)
  const classes = [...new Set(lists.flatMap(list => [...list.classes.keys()]))]
    .filter(name => train.classes.has(name) || lists.some(list => list.classes.get(name)?.images.length))
    .sort()
  const imagesOf = (list: ListedFolder | undefined): Omit<FoundImage, 'split'>[] =>
    classes.flatMap((name, label) => (list?.classes.get(name)?.images ?? []).map(path => ({ label, path })))
  const toTrain = imagesOf(train)
  const drawn = listed.test === undefined ? 'test' : folders.validation === undefined ? 'validation' : undefined
  const isDrawn = drawn && drawImages(toTrain, classes.length, heldOut, splitSeed)
  const drawnImages = toTrain.filter((_, i) => isDrawn?.[i] === 1)
  if (purpose === 'train' && drawn === 'test' && drawnImages.length === 0) {
    throw new FormatError(`'${folder}' has one image a class: there is none to hold out; add images`)
  }
  const images: FoundImage[] = (
    [
      ['train', toTrain.filter((_, i) => isDrawn?.[i] !== 1)],
      ['validation', drawn === 'validation' ? drawnImages : imagesOf(listed.validation)],
      ['test', drawn === 'test' ? drawnImages : imagesOf(listed.test)],
    ] as const
  ).flatMap(([split, found]) => found.map(image => ({ split, ...image })))
  const passed = passedOver(folder, lists)
  const drawnFrom = { folder: folders.train, heldOut }
  const facts: FolderFacts = {
    sources: {
      train: { folder: folders.train },
      ...(listed.validation && { validation: { folder: listed.validation.folder } }),
      ...(drawn === 'validation' && drawnImages.length > 0 && { validation: drawnFrom }),
      test: listed.test ? { folder: listed.test.folder } : drawnFrom,
    },
    unused: [...unused, ...passed.flatMap(({ unused }) => unused)],
    leftOut: addedUp([...passed, ...lists.flatMap(list => [...list.classes.values()])].map(({ others }) => others)),
    joined: classes
      .map(name => lists.flatMap(list => list.classes.get(name)?.folders ?? []))
      .filter(paths => new Set(paths.map(path => basename(path))).size > 1),
  }
  return { classes, images, facts, state: stateOf(folder, images, facts) }
}

interface ListedClass {
  /** As they are called on the disk, with the splits' folder. */
  readonly folders: string[]
  readonly images: string[]
  readonly others: Endings
}

interface ListedFolder {
  /** Below the data folder. */
  readonly folder: string
  /** By name, in normal form C. */
  readonly classes: ReadonlyMap<string, ListedClass>
  /** Beside the folders of classes. */
  readonly loose: FolderFiles
}

function listClasses(dataFolder: string, folder: string): ListedFolder {
  const classes = new Map<string, ListedClass>()
  for (const name of foldersIn(join(dataFolder, folder))) {
    const path = join(folder, name)
    const { images, others } = filesIn(join(dataFolder, path))
    const key = name.normalize('NFC')
    const same = classes.get(key)
    classes.set(key, {
      folders: [...(same?.folders ?? []), path],
      images: [...(same?.images ?? []), ...images.map(image => join(path, image))],
      others: addedUp([same?.others ?? {}, others]),
    })
  }
  return { folder, classes, loose: looseFiles(join(dataFolder, folder)) }
}

/** @throws FormatError for a class that is not trained on, but should be */
function listHeldOut(
  dataFolder: string,
  folder: string | undefined,
  train: ListedFolder,
  purpose: Purpose,
): ListedFolder | undefined {
  if (folder === undefined) return undefined
  const list = listClasses(dataFolder, folder)
  if (purpose !== 'train') return list
  for (const [name, { images }] of list.classes) {
    if (images.length === 0 || train.classes.has(name)) continue
    const [near] = nearestNames(name, [...train.classes.keys()])
    throw new FormatError(
      `'${join(dataFolder, folder)}' has class '${name}', which '${join(dataFolder, train.folder)}' lacks` +
        `${near === undefined ? '' : ` (it has '${near}')`}; rename it, add such images to train on, or move it elsewhere`,
    )
  }
  return list
}

function drawImages(
  images: readonly { readonly label: number }[],
  classes: number,
  heldOut: number,
  seed: number,
): Uint8Array {
  if (!(heldOut > 0 && heldOut < 1)) {
    throw new InvalidArgumentError(`the fraction held out must lie between 0 and 1, not ${heldOut}`)
  }
  const labels = Int32Array.from(images, ({ label }) => label)
  return splitLabels(labels, classes, heldOut, seed)
}

/** What lies beside the folders of classes, of splits, and those between: of no class. */
function passedOver(
  dataFolder: string,
  lists: readonly ListedFolder[],
): { readonly unused: FolderFacts['unused']; readonly others: Endings }[] {
  const beside = new Map<string, string>()
  for (const { folder } of lists) {
    const parts = folder.split(sep).filter(part => part !== '')
    for (const [i, part] of parts.entries()) {
      const above = parts.slice(0, i).join(sep)
      if (!beside.has(above)) beside.set(above, `beside '${part}'`)
    }
  }
  for (const { folder } of lists) beside.set(folder, 'beside the class folders')
  return [...beside].map(([folder, why]) => {
    const { images, others } = looseFiles(join(dataFolder, folder))
    return { unused: images.length > 0 ? [{ folder, images: images.length, why }] : [], others }
  })
}

function addedUp(counts: readonly Endings[]): Endings {
  const sum: Record<string, number> = {}
  for (const [ending, n] of counts.flatMap(count => Object.entries(count))) sum[ending] = (sum[ending] ?? 0) + n
  return sum
}

function checkClasses(path: string, list: ListedFolder, purpose: Purpose): void {
  const { classes } = list
  if ([...classes.values()].every(({ images }) => images.length === 0)) throw noImages(path, list)
  if (purpose !== 'train') return
  const empty = [...classes.values()].filter(({ images }) => images.length === 0)
  if (empty.length > 0) {
    const folders = empty.map(({ folders: [first], others }) => `'${join(path, basename(first))}'${instead(others)}`)
    throw new FormatError(
      `no images (${formatNames}) in class folder${empty.length > 1 ? 's' : ''} ${folders.join(', ')}; ` +
        'add some or remove the folder',
    )
  }
  if (classes.size < 2) {
    throw new FormatError(
      `'${path}' has one class, '${[...classes.keys()][0]}': a classifier needs two or more folders of images`,
    )
  }
}

function noImages(path: string, { classes, loose }: ListedFolder): FormatError {
  const count = loose.images.length
  const found =
    count > 0
      ? `'${path}' holds ${count} image${count > 1 ? 's' : ''} but no class folders: put them into a folder for each class`
      : `no images in '${path}'${instead(addedUp([loose, ...classes.values()].map(({ others }) => others)))}: ` +
        `expected a folder for each class with ${formatNames} files`
  return new FormatError(`${found}, as in '${join(path, 'cat', '1.jpg')}', or train/CLASS/* and test/CLASS/*`)
}

/** What lies there instead of images. */
const instead = (others: Endings): string => {
  const files = formatEndings(others)
  return files === '' ? '' : ` (it holds ${files})`
}

/** Its test images alone, which are of all the classes; undefined where they are held out of others. */
export function testPart(folder: string, { images, ...scan }: FolderScan): FolderScan | undefined {
  if (scan.facts.sources.test.heldOut !== undefined) return undefined
  const test = images.filter(({ split }) => split === 'test')
  return { ...scan, images: test, state: stateOf(folder, test, scan.facts) }
}

function stateOf(folder: string, images: readonly FoundImage[], facts: FolderFacts): string {
  const hash = createHash('sha256').update(basename(folder)).update(JSON.stringify(facts))
  for (const { split, label, path } of images) {
    const file = statSync(join(folder, path), { throwIfNoEntry: false })
    hash.update(`${split}\0${label}\0${path}\0${file?.size ?? -1}\0${file?.mtimeMs ?? -1}\n`)
  }
  return hash.digest('hex')
}
