/** @file A run folder belongs to one process at a time: a lock file with its process id; a lock whose process is gone is taken over. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FoveaError } from 'fovea'

/**
 * Takes the folder (made where missing) until the returned function is called.
 * @throws FoveaError naming the process that holds it
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, 'lock')
  mkdirSync(folder, { recursive: true })
  for (let attempt = 0; ; attempt++) {
    try {
      // 'wx' creates or fails: of two processes that start together, one gets it.
      writeFileSync(path, String(process.pid), { flag: 'wx' })
      return () => rmSync(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const holder = readHolder(path)
      if (holder !== undefined && isAlive(holder)) {
        throw new FoveaError(
          `the folder '${folder}' is in use by another run (process ${holder}); stop it, or choose another --out`,
        )
      }
      if (attempt > 2) throw error
      rmSync(path, { force: true })
    }
  }
}

function readHolder(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8'))
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, but is another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
