/** @file Writing files so that a reader never meets half of one, and errors of the disk said so that a person can act. */
import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FoveaError } from 'fovea'

/** What is written: bytes, text, or chunks as they come. */
export type FileContent = Uint8Array | string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/**
 * Writes a whole file or nothing: to a temporary name in the same folder, synced, then renamed over `path`. Makes the
 * folder where it is missing. When anything fails, an older file at `path` is left as it was.
 * @throws FoveaError naming the file and what to do (disk full, no permission, read-only); errors of `content` as they are
 */
export async function writeFileAtomic(path: string, content: FileContent): Promise<void> {
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`
  let file: FileHandle | undefined
  try {
    await mkdir(dirname(path), { recursive: true })
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
  EFBIG: 'the file is larger than the file system or your limits allow',
}

/** The error to show for one of the file system; any other error is returned unchanged. */
export function diskError(error: unknown, path: string, verb: 'read' | 'write'): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = REASONS[code]
  return reason ? new FoveaError(`cannot ${verb} '${path}': ${reason}`, { cause: error }) : error
}
