/** @file Processes and workers may end in the middle of native work, again and again: once in sixty times one that still computed crashed. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { onednnStatus } from '../src/index.js'

const program = join(import.meta.dirname, 'endings.mjs')

test.skipIf(!onednnStatus().available)('a hundred processes that exit in the middle of a step end well', () => {
  for (let turn = 0; turn < 100; turn++) {
    const { status, signal } = spawnSync(process.execPath, [program, 'the process exits in the middle of a step'])
    expect({ status, signal }, `turn ${turn}`).toEqual({ status: 0, signal: null })
  }
})

describe.skipIf(!onednnStatus().available)('thirty times', () => {
  test.each([
    'a worker is terminated while it trains',
    'a worker is terminated while it compiles',
    'a worker exits in the middle of a step',
  ])('%s', scenario => {
    const { status, signal, stdout } = spawnSync(process.execPath, [program, scenario, '30'], { encoding: 'utf8' })
    expect({ status, signal, stdout }).toEqual({ status: 0, signal: null, stdout: expect.stringContaining('done') })
  })
})
