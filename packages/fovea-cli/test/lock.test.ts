/** @file Claims about the lock of a run folder. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lockFolder } from '../src/lock.js'

const folder = (): string => mkdtempSync(join(tmpdir(), 'fovea-lock-'))

test('a folder held by a living process is refused with its process id', () => {
  const path = folder()
  writeFileSync(join(path, 'lock'), String(process.ppid))
  expect(() => lockFolder(path)).toThrow(`in use by another run (process ${process.ppid})`)
})

test('a lock left by a process that is gone, or by half a write, is taken over', () => {
  for (const left of ['999999999', '', 'nonsense']) {
    const path = folder()
    writeFileSync(join(path, 'lock'), left)
    lockFolder(path)()
  }
})

test('a released folder can be taken again', () => {
  const path = folder()
  lockFolder(path)()
  lockFolder(path)()
})
