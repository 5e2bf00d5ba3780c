/** @file Files that a command is about to make: none that is there already is replaced, and it is known before the work. */
import { accessSync, constants, lstatSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { FoveaError } from 'fovea'
import { diskError } from './files.js'

/**
 * Refuses to begin what would end by replacing somebody's file, or by finding that it may not write.
 * @param paths all that may be written
 * @param option which names them, for the message: `--out`
 * @throws FoveaError naming the files that are there, or the folder that cannot be written
 */
export function checkNewFiles(paths: readonly string[], option: string): void {
  const taken = paths.filter(path => entryAt(path) !== undefined)
  if (taken.length > 0) {
    const [names, exist, them] = [taken.map(path => `'${path}'`).join(', '), ...(taken.length > 1 ? PLURAL : SINGULAR)]
    throw new FoveaError(`${names} ${exist} already: choose another ${option}, or remove ${them} first`)
  }
  for (const path of paths) checkWritable(path)
}

const SINGULAR = ['exists', 'it'] as const
const PLURAL = ['exist', 'them'] as const

/**
 * The same for a function, which may be told to replace the file.
 * @throws FoveaError naming the file, if it is there
 */
export function checkNewFile(path: string): void {
  if (entryAt(path) === undefined) return
  throw new FoveaError(`'${path}' exists already: choose another path, or give { overwrite: true } to replace it`)
}

/** `NAME`, or the first of `NAME-2`, `NAME-3`, … of which no file is there. */
export function freeName(name: string, filesOf: (name: string) => readonly string[] = name => [name]): string {
  for (let i = 1; ; i++) {
    const free = i === 1 ? name : `${name}-${i}`
    if (filesOf(free).every(path => entryAt(path) === undefined)) return free
  }
}

/** Also of a link that leads nowhere: it would be replaced. */
export function entryAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw diskError(error, path, 'write')
  }
}

/** Whether a file can be made: by the nearest folder that is there, since those below it are made. */
function checkWritable(path: string): void {
  try {
    let folder = dirname(path)
    while (!statSync(folder, { throwIfNoEntry: false }) && dirname(folder) !== folder) folder = dirname(folder)
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' })
    accessSync(folder, constants.W_OK)
  } catch (error) {
    throw diskError(error, path, 'write')
  }
}
