/**
 * @file Files written so that a reader never meets half of one, read so that none takes more memory than its kind should,
 * and errors of the disk said so that a person can act.
 */
import { constants } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { FormatError, FoveaError, formatBytes } from 'fovea'
import { isAlive, ownProcess, PROCESS } from './process-id.js'

/** What is written: bytes, text, or chunks as they come. */
export type FileContent = Uint8Array | string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/**
 * Writes a whole file or nothing: to a temporary name in the same folder, synced, then renamed over `path`. Makes the
 * folder where it is missing. When anything fails, an older file at `path` is left as it was. What a process that was
 * killed while it wrote the same file has left is removed.
 * @throws FoveaError naming the file and what to do (disk full, no permission, read-only); errors of `content` as they are
 */
export async function writeFileAtomic(path: string, content: FileContent): Promise<void> {
  const temporary = temporaryName(path)
  let file: FileHandle | undefined
  try {
    makeFolder(dirname(path))
    removeLeftovers(path)
    file = await open(temporary, 'wx')
    for await (const chunk of chunksOf(content)) await writeAll(file, chunk)
    await file.sync()
    await file.close()
    file = undefined
    await rename(temporary, path)
  } catch (error) {
    await file?.close().catch(() => {})
    await rm(temporary, { force: true }).catch(() => {})
    throw diskError(error, path, 'write')
  }
  await syncFolder(dirname(path))
}

/** Makes a folder and those above it. Node's own (`recursive`) finds "no such file" where a disk is read-only. */
export function makeFolder(path: string): void {
  const isFolder = (): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  if (isFolder()) return
  if (dirname(path) !== path) makeFolder(dirname(path))
  try {
    mkdirSync(path)
  } catch (error) {
    if (!isFolder()) throw error // Else another process was faster.
  }
}

/** A new name beside `path`, which says whose it is. */
export const temporaryName = (path: string): string => `${path}.${ownProcess()}-${randomBytes(4).toString('hex')}.tmp`

/** The end of a temporary's name: the process that writes it, and a number that makes it unique. */
const TEMPORARY = new RegExp(`^(${PROCESS.source})-[0-9a-f]{8}\\.tmp$`)

/** Removes temporaries of `path` whose process is gone. */
export function removeLeftovers(path: string): void {
  const start = `${basename(path)}.`
  for (const name of readdirSync(dirname(path))) {
    const owner = name.startsWith(start) && TEMPORARY.exec(name.slice(start.length))?.[1]
    if (owner && !isAlive(owner)) rmSync(join(dirname(path), name), { force: true })
  }
}

/** Writes every byte: one `write` may take fewer. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten
}

function chunksOf(content: FileContent): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (typeof content === 'string') return [Buffer.from(content)]
  return content instanceof Uint8Array ? [content] : content
}

/** Makes the rename itself survive a power cut; not every system lets a folder be opened. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close()
}

/** What a kind of file may have, and how messages call it: `an image`. */
export interface FileLimit {
  readonly what: string
  readonly maxBytes: number
  /** What to do with a larger one. */
  readonly remedy?: string
}

/**
 * The size of a file that may be read whole.
 * @throws FoveaError if it is not there or no regular file (a device has no end, a pipe may never begin); FormatError if
 *   it is larger than its kind may be
 */
export function checkedSize(path: string, { what, maxBytes, remedy }: FileLimit): number {
  let state: ReturnType<typeof statSync>
  try {
    state = statSync(path)
  } catch (error) {
    throw diskError(error, path, 'read')
  }
  if (!state.isFile()) {
    const kind = state.isDirectory() ? 'a folder' : 'a device or a pipe'
    throw new FoveaError(`cannot read '${path}': it is ${kind}, not a file`)
  }
  // Node keeps no more in one piece, whatever the kind.
  const most = Math.min(maxBytes, constants.MAX_LENGTH)
  if (state.size > most) {
    const advice = remedy === undefined ? '' : `; ${remedy}`
    throw new FormatError(
      `'${path}' has ${formatBytes(state.size)}; ${what} may have ${formatBytes(most)} at most${advice}`,
    )
  }
  return state.size
}

/** One call of the system reads less than 2 GiB. */
const PIECE_BYTES = 1 << 30

/**
 * Reads a whole file; Node's own readFile ends at 2 GiB.
 * @throws as checkedSize; FoveaError if there is not the memory for it
 */
export function readWhole(path: string, limit: FileLimit, pieceBytes = PIECE_BYTES): Buffer {
  const size = checkedSize(path, limit)
  let descriptor = -1
  try {
    descriptor = openSync(path, 'r')
    const bytes = Buffer.from(new ArrayBuffer(size))
    let done = 0
    while (done < size) {
      const got = readSync(descriptor, bytes, done, Math.min(size - done, pieceBytes), done)
      if (got === 0) break
      done += got
    }
    return bytes.subarray(0, done)
  } catch (error) {
    if (error instanceof RangeError) {
      throw new FoveaError(`cannot read '${path}': there is no memory for its ${formatBytes(size)}`, { cause: error })
    }
    throw diskError(error, path, 'read')
  } finally {
    if (descriptor >= 0) closeSync(descriptor)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space or choose a folder on another disk',
  EDQUOT: 'your disk quota is used up; free some space or choose a folder on another disk',
  EROFS: 'the file system is read-only; choose another folder',
  EACCES: 'permission denied; choose a folder that you own, or change its permissions',
  EPERM: 'permission denied; choose a folder that you own, or change its permissions',
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder, not a file',
  EEXIST: 'a file stands where a folder should be',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
  EFBIG: 'the file is larger than the file system or your limits (ulimit -f) allow; raise them or choose another disk',
}

/** The file system refused. */
export class DiskError extends FoveaError {
  override name = 'DiskError'

  constructor(
    message: string,
    readonly verb: 'read' | 'write',
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** In words, with what to do. */
export const diskReason = (error: unknown): string =>
  knownReason(error) ?? (error instanceof Error ? error.message : String(error))

function knownReason(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return REASONS[code]
}

/** The error to show for one of the file system; any other error is returned unchanged. */
export function diskError(error: unknown, path: string, verb: 'read' | 'write'): unknown {
  const reason = knownReason(error)
  return reason ? new DiskError(`cannot ${verb} '${path}': ${reason}`, verb, { cause: error }) : error
}
