/** @file A long training and many compilations keep the memory of the process flat. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { onednnStatus } from '../src/index.js'

/** What a process may grow by: garbage that is collected late, up to 9 MiB in the runs seen. Steps that kept their images would add 47 MiB. */
const toleranceBytes = 24 * 2 ** 20

test.skipIf(!onednnStatus().available).each(['steps', 'compilations'])(
  'the memory of a process stays as it is: %s',
  scenario => {
    const program = join(import.meta.dirname, 'growth.mjs')
    const grown = execFileSync(process.execPath, ['--expose-gc', program, scenario], { encoding: 'utf8' })
    expect(Number(grown)).toBeLessThan(toleranceBytes)
  },
)
