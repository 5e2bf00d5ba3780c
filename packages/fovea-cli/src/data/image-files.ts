/** @file The images in a folder and in all folders below it, and what else lies there. Opens a file only to learn what it is. */
import { closeSync, type Dirent, openSync, readdirSync, readSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isOfSystem } from 'fovea/engine'
import { diskError } from '../files.js'
import { endingOf, formatOf, hasImageEnding, SIGNATURE_BYTES } from './image-formats.js'

/** How many files there are of each ending (lower case, '' for none). */
export type Endings = Readonly<Record<string, number>>

export interface FolderFiles {
  /** Paths below the folder, sorted. */
  readonly images: readonly string[]
  /** Files that are no images. */
  readonly others: Endings
}

/**
 * Looks through a folder and those below it. Links are followed, each folder is entered once; hidden files and those that
 * systems leave are passed over.
 * @throws FoveaError naming a folder that cannot be read
 */
export function filesIn(folder: string): FolderFiles {
  const taken: Taken = { images: [], others: {} }
  const entered = new Set<string>()
  const enter = (under: string): void => {
    const path = join(folder, under)
    const real = realpathSync(path)
    if (entered.has(real)) return
    entered.add(real)
    for (const entry of entriesOf(path)) {
      if (isFolder(path, entry)) enter(join(under, entry.name))
      else take(folder, under, entry, taken)
    }
  }
  enter('')
  return { images: taken.images.sort(), others: taken.others }
}

/** The names of the folders in a folder, sorted. */
export const foldersIn = (folder: string): string[] =>
  entriesOf(folder)
    .filter(entry => isFolder(folder, entry))
    .map(({ name }) => name)
    .sort()

/** What lies in a folder itself, not in the folders in it. */
export function looseFiles(folder: string): FolderFiles {
  const taken: Taken = { images: [], others: {} }
  for (const entry of entriesOf(folder)) if (!isFolder(folder, entry)) take(folder, '', entry, taken)
  return { images: taken.images.sort(), others: taken.others }
}

interface Taken {
  readonly images: string[]
  readonly others: Record<string, number>
}

function take(folder: string, under: string, entry: Dirent, { images, others }: Taken): void {
  const ending = endingOf(entry.name)
  if (isImage(join(folder, under), entry)) images.push(join(under, entry.name))
  else others[ending] = (others[ending] ?? 0) + 1
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !isOfSystem(name))
  } catch (error) {
    throw diskError(error, folder, 'read')
  }
}

const isFolder = (folder: string, entry: Dirent): boolean =>
  entry.isDirectory() ||
  (entry.isSymbolicLink() && statSync(join(folder, entry.name), { throwIfNoEntry: false })?.isDirectory() === true)

/** By its ending; without one that says so, by what is in it, if that can be read. */
function isImage(folder: string, { name }: Dirent): boolean {
  if (hasImageEnding(name)) return true
  const path = join(folder, name)
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false
  let descriptor = -1
  try {
    descriptor = openSync(path, 'r')
    const start = Buffer.alloc(SIGNATURE_BYTES)
    readSync(descriptor, start, 0, SIGNATURE_BYTES, 0)
    const format = formatOf(start)
    return format !== undefined && !format.ambiguous
  } catch {
    return false
  } finally {
    if (descriptor >= 0) closeSync(descriptor)
  }
}
