/** @file A process may exit in the middle of a step, again and again: once in sixty times one that still computed crashed. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { onednnStatus } from '../src/index.js'

test.skipIf(!onednnStatus().available)('a hundred processes that exit in the middle of a step end well', () => {
  const program = join(import.meta.dirname, 'endings.mjs')
  for (let turn = 0; turn < 100; turn++) {
    const { status, signal } = spawnSync(process.execPath, [program, 'the process exits in the middle of a step'])
    expect({ status, signal }, `turn ${turn}`).toEqual({ status: 0, signal: null })
  }
})
