/**
 * @file Downloads of one known file: resumed where they stopped, checked against a hash, and only then given their name.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FormatError, FoveaError } from 'fovea'
import { diskError, makeFolder, writeAll } from '../files.js'
import type { LoadOptions } from './options.js'

export interface RemoteFile {
  readonly url: string
  /** Hexadecimal. */
  readonly sha256: string
  /** The file's exact length: more is never written. */
  readonly bytes: number
}

/** One that is known as git knows it: by the SHA-1 of `blob LENGTH\0` and the content, hexadecimal. */
export interface GitFile extends Omit<RemoteFile, 'sha256'> {
  readonly gitSha1: string
}

export interface DownloadOptions extends Pick<LoadOptions, 'onProgress' | 'signal'> {
  /** Give up on a connection that sends nothing for so long. Default 30 s. */
  readonly stallMs?: number
  /** To be sent beside. What authorizes goes to no other server that this one leads to. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Connections tried in one call; each goes on where the last one stopped. */
const ATTEMPTS = 3

/**
 * Makes sure that the file is at `path`, downloading it if it is not there. What has arrived when a download stops stays
 * in `path.part`, and the next call goes on from there.
 * @throws FoveaError if the server cannot be reached or the disk refuses, saying which file to put where by other means;
 *   FormatError if the content has another hash (it is deleted)
 */
export async function download(path: string, file: RemoteFile | GitFile, options: DownloadOptions = {}): Promise<void> {
  if (await exists(path)) return checkHash(path, file, 'put there')
  try {
    makeFolder(dirname(path))
  } catch (error) {
    throw diskError(error, path, 'write')
  }
  const part = `${path}.part`
  let failure: unknown
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      await receive(part, file, options)
      failure = undefined
      break
    } catch (error) {
      options.signal?.throwIfAborted()
      if (error instanceof FoveaError) throw error
      failure = error
    }
  }
  if (failure !== undefined) throw unreachable(path, file, await sizeOf(part), failure)
  await checkHash(part, file, 'downloaded')
  await rename(part, path).catch((error: unknown) => {
    throw diskError(error, path, 'write')
  })
}

/** One connection: appends what is missing to `part`. Any plain error may be tried again. */
async function receive(part: string, { url, bytes }: RemoteFile | GitFile, options: DownloadOptions) {
  const { onProgress, signal, stallMs = 30_000, headers } = options
  let done = await sizeOf(part)
  if (done === bytes) return
  if (done > bytes) {
    await rm(part)
    done = 0
  }
  const stall = new AbortController()
  const watch = setTimeout(() => stall.abort(new Error(`nothing came for ${stallMs / 1000} s`)), stallMs)
  let target: FileHandle | undefined
  try {
    const response = await fetch(url, {
      signal: signal ? AbortSignal.any([stall.signal, signal]) : stall.signal,
      // A part of what was compressed would be no part of the file.
      headers: { ...headers, 'accept-encoding': 'identity', ...(done > 0 && { range: `bytes=${done}-` }) },
    })
    const resumed = response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${done}-`)
    if (!response.ok || !response.body || (response.status === 206 && !resumed)) {
      throw new Error(`the server answered ${response.status} ${response.statusText}`)
    }
    if (!resumed) done = 0
    target = await open(part, resumed ? 'a' : 'w').catch((error: unknown) => {
      throw diskError(error, part, 'write')
    })
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      watch.refresh()
      if (done + chunk.length > bytes) {
        throw new FormatError(`'${url}' is longer than the ${bytes} bytes it should have`)
      }
      await writeAll(target, chunk).catch((error: unknown) => {
        throw diskError(error, part, 'write')
      })
      done += chunk.length
      onProgress?.({ stage: 'download', done, total: bytes, unit: 'bytes' })
    }
    await target.sync()
  } finally {
    clearTimeout(watch)
    await target?.close()
  }
  if (done < bytes) throw new Error(`the connection ended after ${done} of ${bytes} bytes`)
}

async function checkHash(path: string, file: RemoteFile | GitFile, origin: string): Promise<void> {
  const isGit = 'gitSha1' in file
  const expected = isGit ? file.gitSha1 : file.sha256
  const hash = createHash(isGit ? 'sha1' : 'sha256')
  if (isGit) hash.update(`blob ${await sizeOf(path)}\0`)
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  const found = hash.digest('hex')
  if (found === expected) return
  if (origin === 'downloaded') await rm(path, { force: true })
  const remedy = origin === 'downloaded' ? 'It was deleted; try again' : 'Delete it, and it is downloaded again'
  const kind = isGit ? "git's SHA-1" : 'SHA-256'
  throw new FormatError(
    `'${path}', ${origin}, is not ${file.url}: its ${kind} is ${found}, expected ${expected}. ${remedy}`,
  )
}

function unreachable(path: string, { url, bytes }: RemoteFile | GitFile, done: number, cause: unknown): FoveaError {
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  const why = reason instanceof Error ? reason.message || String(reason) : String(reason)
  const kept = done > 0 ? ` The ${done} of ${bytes} bytes that came are kept: the same command goes on from there.` : ''
  return new FoveaError(
    `cannot download ${url}: ${why}.${kept} Without a connection, get that file by other means and put it at '${path}'`,
    { cause },
  )
}

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0
const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined
