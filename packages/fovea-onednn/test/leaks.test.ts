/** @file A long training and many compilations keep the memory of the process flat. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { onednnStatus } from '../src/index.js'

/** What a process may grow by: garbage that is collected late, up to 9 MiB in the runs seen. Steps that kept their images would add 47 MiB. */
const toleranceBytes = 24 * 2 ** 20

/** The JavaScript engine's young generation may else grow to 48 MiB, whatever is left behind: 38 MiB in 4,000 steps, 6 with this. */
const flags = ['--expose-gc', '--max-semi-space-size=1']

test.skipIf(!onednnStatus().available).each(['steps', 'compilations'])(
  'the memory of a process stays as it is: %s',
  scenario => {
    const program = join(import.meta.dirname, 'growth.mjs')
    const grown = execFileSync(process.execPath, [...flags, program, scenario], { encoding: 'utf8' })
    expect(Number(grown)).toBeLessThan(toleranceBytes)
  },
)
