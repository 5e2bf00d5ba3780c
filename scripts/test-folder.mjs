/** @file The tests' own folder for all that they write, their cache among it: nothing is left behind when they end. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Vitest's global set-up; what it returns is the end. Test files run in processes that take over the environment. */
export default function ownFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'fovea-tests-'))
  process.env.TMPDIR = folder
  process.env.FOVEA_DATA = join(folder, 'cache')
  return () => rmSync(folder, { recursive: true, force: true })
}
