/** @file A run folder belongs to one process at a time: a lock file that names it; a lock whose process is gone is taken over. */
import { constants, copyFileSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { FoveaError } from 'fovea'
import { diskError, makeFolder, removeLeftovers, temporaryName } from './files.js'
import { isAlive, PROCESS } from './process-id.js'

/**
 * Takes the folder (made where missing) until the returned function is called.
 * @throws FoveaError naming the process that holds it, or why the lock cannot be written
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, 'lock')
  const own = temporaryName(path)
  const unique = basename(own).slice('lock.'.length)
  try {
    makeFolder(folder)
    try {
      // Written under another name, so that nobody meets a lock without its process.
      writeFileSync(own, unique, { flag: 'wx' })
      takeLock(folder, own, path)
      removeLeftovers(path)
    } finally {
      rmSync(own, { force: true })
    }
  } catch (error) {
    throw diskError(error, path, 'write')
  }
  return () => {
    if (contentOf(path) === unique) rmSync(path, { force: true })
  }
}

/** A takeover takes a few calls of the system: who waits longer waits for a process that was killed in the middle of one. */
const PATIENCE_MS = 5000

/** Makes `own` the lock, in place of none or of one that is abandoned. */
function takeLock(folder: string, own: string, path: string): void {
  // Of the processes that find the same abandoned lock, one at a time may replace it: a second lock, held that long.
  const takeover = `${path}.takeover`
  const start = performance.now()
  while (!giveName(own, path)) {
    refuseHeld(folder, path)
    if (giveName(own, takeover)) {
      try {
        refuseHeld(folder, path) // Another may have been here before.
        if (contentOf(path) !== undefined) {
          renameSync(own, path)
          return
        }
      } finally {
        rmSync(takeover, { force: true })
      }
    } else if (performance.now() - start > PATIENCE_MS) {
      throw new FoveaError(`'${takeover}' was left by a process that was killed; delete it`)
    } else {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}

/** @throws FoveaError if a process that is alive holds the lock */
function refuseHeld(folder: string, path: string): void {
  const holder = HOLDER.exec(contentOf(path) ?? '')?.[0] ?? ''
  // Where starts are unknown: a lock of this number is from before, of a container or a system that counts from 1 again.
  if (holder === String(process.pid) || !isAlive(holder)) return
  throw new FoveaError(
    `the folder '${folder}' is in use by another run (process ${Number.parseInt(holder, 10)}); stop it, or choose another --out; ` +
      `if that process is no run of Fovea, delete '${path}'`,
  )
}

const HOLDER = new RegExp(`^${PROCESS.source}`)

/** Gives a file a second name, in one step, unless another file has it. */
function giveName(own: string, name: string): boolean {
  try {
    linkSync(own, name)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error
  }
  // The file system has no second names (FAT): a copy is nearly as good.
  try {
    copyFileSync(own, name, constants.COPYFILE_EXCL)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
