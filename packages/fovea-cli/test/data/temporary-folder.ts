/** @file A folder for the tests of one file, emptied before each test and removed after the last. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'

export interface TemporaryFolder {
  /** The path of a name in the folder. */
  path(...names: string[]): string
  /** Writes a file, with its folders, and returns its path. */
  write(name: string, content: Uint8Array | string): string
}

export function temporaryFolder(): TemporaryFolder {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fovea-data-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  return {
    path: (...names) => join(folder, ...names),
    write(name, content) {
      const path = join(folder, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
      return path
    },
  }
}
