/** @file Claims about beginnings and ends: whatever ends in the middle of native work ends well, and so does all else. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { programLifetimeTests } from '../../fovea/test/engines/program-lifetime.js'
import { copiesWhatIsWanted, programOutputTests } from '../../fovea/test/engines/program-outputs.js'
import { onednnEngine, onednnStatus } from '../src/index.js'

const engine = () => onednnEngine({ threads: 2 })

describe.skipIf(!onednnStatus().available)('the life of a program', () => programLifetimeTests(engine))

describe.skipIf(!onednnStatus().available)('the outputs of a run', () => {
  programOutputTests(engine)
  copiesWhatIsWanted(engine)
})

describe.skipIf(!onednnStatus().available)('no process is aborted', () => {
  test.each([
    ['a worker is terminated between the end of a step and its continuation', 0],
    ['a worker is terminated while it trains', 0],
    ['a worker is terminated while it compiles', 0],
    ['a worker exits in the middle of a step', 0],
    ['a worker that nobody waits for', 0],
    ['workers train while this thread does, and one of them is terminated', 0],
    ['the process exits in the middle of a step', 0],
    ['the process exits while a worker trains', 0],
    ['an error that nobody catches, in the middle of a step', 1],
    ['programs are forgotten in the middle of a step', 0],
  ])('%s', (scenario, status) => {
    const program = join(import.meta.dirname, 'endings.mjs')
    const result = spawnSync(process.execPath, [program, scenario], { encoding: 'utf8' })
    expect({ ...result, pid: 0, output: [] }).toMatchObject({
      status,
      signal: null,
      stdout: expect.stringContaining('done'),
    })
  })
})
