/**
 * @file Which folders of a data folder hold training, validation and test images, by the names that people give them, and
 * which folders beside them are not used. Knows no classes.
 */
import { realpathSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { FormatError, InvalidArgumentError } from 'fovea'
import { formatEndings } from './folder-facts.js'
import { filesIn, foldersIn, looseFiles } from './image-files.js'
import type { SplitName } from './packed-file.js'

/** A folder with images that are not used. */
export interface UnusedFolder {
  /** Below the data folder. */
  readonly folder: string
  readonly images: number
  readonly why: string
}

export interface SplitFolders {
  /** Below the data folder, '' for itself. What is absent must be held out of the training images. */
  readonly folders: { readonly train: string } & { readonly [split in Exclude<SplitName, 'train'>]?: string }
  readonly unused: readonly UnusedFolder[]
}

/** As they stand in a folder's name alone or among other words: `valid`, `Test`, `training_set`, `val2017`. */
const WORDS: Readonly<Record<SplitName, readonly string[]>> = {
  train: ['train', 'training'],
  validation: ['val', 'valid', 'validation', 'dev'],
  test: ['test', 'testing'],
}
const SPLITS = Object.keys(WORDS) as SplitName[]

function splitOf(name: string): SplitName | undefined {
  const words = name.toLowerCase().split(/[\d._-]+/)
  const splits = SPLITS.filter(split => WORDS[split].some(word => words.includes(word)))
  return splits.length === 1 ? splits[0] : undefined
}

/**
 * Finds the splits of a data folder; a folder that holds nothing but another folder of folders is looked through.
 * @throws InvalidArgumentError if there is no such folder; FormatError if two folders could be the same split, or none is
 *   there to train on beside those that are held out, or the classes to train on lie beside these, in no folder of their own
 */
export function findSplits(folder: string): SplitFolders {
  const state = statSync(folder, { throwIfNoEntry: false })
  if (!state) throw new InvalidArgumentError(`there is no data folder '${folder}'`)
  if (!state.isDirectory()) throw new InvalidArgumentError(`'${folder}' is a file, not a folder of images`)
  const top = within(folder, '')
  const names = foldersIn(join(folder, top))
  const pathOf = (split: SplitName): string | undefined => {
    const candidates = names.filter(name => splitOf(name) === split)
    if (candidates.length > 1) {
      const [first, second] = candidates.map(name => `'${join(folder, top, name)}'`)
      throw new FormatError(`${first} and ${second} could both hold the ${split} images; keep or name one so`)
    }
    return candidates.length === 0 ? undefined : join(top, candidates[0])
  }
  const holdsClasses = (path: string): boolean =>
    foldersIn(join(folder, path)).length > 0 && looseFiles(join(folder, path)).images.length === 0
  const classNames = names.filter(name => splitOf(name) === undefined)
  /** Then it is a split, not a class of that name. */
  const repeatsClasses = (name: string): boolean =>
    foldersIn(join(folder, within(folder, join(top, name), classNames))).some(inner =>
      classNames.some(other => comparable(other) === comparable(inner)),
    )

  if (!names.some(name => splitOf(name) === 'train')) {
    if (names.length > 1 && names.every(name => splitOf(name) && holdsClasses(join(top, name)))) {
      const found = names.map(name => `'${join(folder, top, name)}'`).join(' and ')
      throw new FormatError(`beside ${found} there is no folder 'train' with the images to train on`)
    }
    const heldOut = names.find(name => splitOf(name) && repeatsClasses(name))
    if (heldOut !== undefined) {
      throw new FormatError(
        `'${join(folder, top, heldOut)}' looks like ${splitOf(heldOut)} images: ` +
          `put the class folders beside it into '${join(folder, top, 'train')}'`,
      )
    }
    return { folders: { train: top }, unused: [] }
  }
  const someHeldOut = names.some(name => ['validation', 'test'].includes(splitOf(name) ?? ''))
  const isSplit = (name: string): boolean => holdsClasses(join(top, name)) || repeatsClasses(name)
  if (!someHeldOut && !names.some(name => splitOf(name) === 'train' && isSplit(name))) {
    return { folders: { train: top }, unused: [] } // A class is called train.
  }
  const unused: UnusedFolder[] = classNames.map(name =>
    unusedFolder(folder, join(top, name), `beside '${names.find(other => splitOf(other) === 'train')}'`),
  )
  const folders: { train: string; validation?: string; test?: string } = {
    train: within(folder, pathOf('train') as string),
  }
  const classes = foldersIn(join(folder, folders.train))
  for (const split of ['validation', 'test'] as const) {
    const path = pathOf(split)
    if (path === undefined) continue
    const inner = within(folder, path, classes)
    const classed = foldersIn(join(folder, inner)).some(name => filesIn(join(folder, inner, name)).images.length > 0)
    if (classed) folders[split] = inner
    else unused.push(unusedFolder(folder, path, 'no class folders'))
  }
  return { folders, unused }
}

function unusedFolder(dataFolder: string, folder: string, why: string): UnusedFolder {
  const { images, others } = filesIn(join(dataFolder, folder))
  if (images.length > 0) return { folder, images: images.length, why }
  const files = formatEndings(others)
  return { folder, images: 0, why: files === '' ? 'no images' : `it holds ${files}` }
}

/** Names of classes that differ in case or Unicode's normal form alone are the same ones. */
const comparable = (name: string): string => name.normalize('NFC').toLowerCase()

/**
 * The folder in which the folders are that matter: archives are often unpacked into a folder of the same name.
 * @param known names of folders that are not looked through, as they mean something here
 */
function within(dataFolder: string, folder: string, known: readonly string[] = []): string {
  const seen = new Set<string>()
  for (let at = folder; ; ) {
    const path = join(dataFolder, at)
    const names = foldersIn(path)
    const [name] = names
    if (names.length !== 1 || known.includes(name) || seen.has(realpathSync(path))) return at
    if (looseFiles(path).images.length > 0) return at
    seen.add(realpathSync(path))
    if (name !== basename(path) && foldersIn(join(path, name)).length === 0) return at
    at = join(at, name)
  }
}
