/** @file The tests' own folders, the compiled command in one of them: nothing is left behind when they end. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleCommand } from './bundle-command.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Vitest's global set-up; what it returns is the end. Test files run in processes that take over the environment. */
export default async function ownFolders() {
  const folder = mkdtempSync(join(tmpdir(), 'fovea-tests-'))
  process.env.TMPDIR = folder
  process.env.FOVEA_DATA = join(folder, 'cache')
  const bundles = join(root, 'build')
  mkdirSync(bundles, { recursive: true })
  const bundle = mkdtempSync(join(bundles, 'test-command-'))
  // Tests that start the command say so where it is not compiled.
  if (existsSync(join(root, 'packages/fovea-cli/dist/main.js'))) {
    process.env.FOVEA_TEST_COMMAND = await bundleCommand(bundle)
  }
  return () => {
    for (const made of [folder, bundle]) rmSync(made, { recursive: true, force: true })
  }
}
