/** @file The folder of downloads and decoded images: where it is, and what to do where it cannot be written. */
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { FoveaError } from 'fovea'
import { group } from 'fovea/engine'
import { DiskError } from '../files.js'
import { type LoadOptions, loadSettings } from './options.js'

type CacheOptions = Pick<LoadOptions, 'cache'>

const cacheOptions = group('where files are kept', { cache: loadSettings.cache })

/**
 * The folder for downloads and packed files.
 * @throws FoveaError where none is named and the user has no home folder
 */
export const cacheFolder = (options: CacheOptions = {}): string => cacheFolderIn(cacheOptions.parse(options, ''))

/** The same, of options that have been read. */
export function cacheFolderIn(options: CacheOptions): string {
  const folder = findCacheFolder(options)
  if (folder !== undefined) return folder
  throw new FoveaError('there is no home folder to keep downloads and decoded images in; name another in FOVEA_DATA')
}

/** As cacheFolder; undefined where there is none. */
export const findCacheFolder = ({ cache }: CacheOptions): string | undefined =>
  cache ?? (process.env['FOVEA_DATA'] || homeCache())

function homeCache(): string | undefined {
  try {
    const home = homedir()
    // An empty HOME would put the cache where the user works.
    return isAbsolute(home) ? join(home, '.cache', 'fovea') : undefined
  } catch {
    return undefined // A user without an entry, as containers have them.
  }
}

/**
 * Does what writes into the cache folder.
 * @throws FoveaError that tells of FOVEA_DATA, where the folder cannot be written; else what `work` throws
 */
export async function inCache<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DiskError) || error.verb !== 'write') throw error
    const advice = 'FOVEA_DATA names the folder of downloads and decoded images'
    throw new FoveaError(`${error.message} (${advice})`, { cause: error })
  }
}
