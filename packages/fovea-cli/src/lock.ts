/** @file A run folder belongs to one process at a time: a lock file that names it; a lock whose process is gone is taken over. */
import { createHash } from 'node:crypto'
import {
  constants,
  copyFileSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
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

/**
 * Makes `own` the lock, in place of none or of one that is abandoned. Of the processes that find the same abandoned lock one
 * may replace it: who gets a name that is made of what that lock says, or, if that one is killed, the next such name.
 */
function takeLock(folder: string, own: string, path: string): void {
  while (!giveName(own, path)) {
    const abandoned = contentOf(path)
    if (abandoned === undefined) continue // It was released this moment.
    refuseIfAlive(folder, path, abandoned)
    const claim = (turn: number): string => `${path}.${hashOf(abandoned)}-${turn}`
    let turn = 0
    for (; !giveName(own, claim(turn)); turn++) refuseIfAlive(folder, path, contentOf(claim(turn)))
    if (contentOf(path) === abandoned) {
      renameSync(own, path)
      break
    }
    rmSync(claim(turn), { force: true }) // Another was here before.
  }
  // What is claimed now is another lock.
  for (const name of readdirSync(folder)) if (CLAIM.test(name)) rmSync(join(folder, name), { force: true })
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)
const CLAIM = /^lock\.[0-9a-f]{16}-\d+$/
/** What a lock says, or a part of it: a system that copies it may have been cut off. */
const LOCK = /^\d*(@\w*)?(-[0-9a-f]{0,8}[.tmp]{0,4})?$/
const HOLDER = new RegExp(`^${PROCESS.source}`)

/** @throws FoveaError if the process that wrote this in a lock or a claim is alive, or if it is a file of another kind */
function refuseIfAlive(folder: string, path: string, content = ''): void {
  const holder = HOLDER.exec(content)?.[0] ?? ''
  // Where starts are unknown: a lock of this number is from before, of a container or a system that counts from 1 again.
  if (holder === String(process.pid) || !isAlive(holder)) {
    if (LOCK.test(content)) return
    throw new FoveaError(`'${path}' is no lock of Fovea: choose another folder, or move that file away`)
  }
  throw new FoveaError(
    `the folder '${folder}' is in use by another run (process ${Number.parseInt(holder, 10)}); stop it, or choose another folder; ` +
      `if that process is no run of Fovea, delete '${path}'`,
  )
}

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

/** Undefined where there is no such file. */
function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw diskError(error, path, 'read')
  }
}
