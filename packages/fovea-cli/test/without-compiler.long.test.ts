/** @file `npm start` in a fresh clone on a machine that has no C++ compiler: all runs in WebAssembly, and learns as much as it should. */
import { execFileSync, spawnSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readlinkSync, realpathSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from './run-fovea.js'

const root = join(import.meta.dirname, '../../..')

/** The last commit, and the npm packages of this checkout. */
function clone(): string {
  const folder = join(temporaryFolder(), 'fovea')
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim()
  const commit = git('-C', root, 'rev-parse', 'HEAD')
  git('clone', '--quiet', '--no-hardlinks', '--no-checkout', root, folder)
  git('-C', folder, 'checkout', '--quiet', '--detach', commit)
  mkdirSync(join(folder, 'node_modules'))
  for (const name of readdirSync(join(root, 'node_modules'))) {
    const path = join(root, 'node_modules', name)
    // Packages of the checkout are links within it: here they are the clone's.
    symlinkSync(lstatSync(path).isSymbolicLink() ? readlinkSync(path) : path, join(folder, 'node_modules', name))
  }
  return folder
}

/** A PATH with nothing but what npm needs. */
function bareFolder(): string {
  const folder = temporaryFolder()
  const where = (name: string) => realpathSync(execFileSync('which', [name], { encoding: 'utf8' }).trim())
  symlinkSync(process.execPath, join(folder, 'node'))
  for (const name of ['npm', 'sh']) symlinkSync(where(name), join(folder, name))
  return folder
}

test.skipIf(process.platform === 'win32')('it trains in WebAssembly, says so, and needs nothing else', () => {
  const env = { HOME: temporaryFolder(), FOVEA_DATA: temporaryFolder(), PATH: bareFolder() }
  const { status, stdout, stderr } = spawnSync('npm', ['start'], { cwd: clone(), env, encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  expect(stdout).toMatch(/^engine: wasm \(.*\)$/m)
  const [said, ...hints] = stderr.match(/^.*WebAssembly.*$/gm) ?? []
  expect(said).toMatch(/^fovea: only the engine in WebAssembly is ready: .* no C\+\+ compiler .*found: install it/)
  expect(hints).toEqual([expect.stringMatching(/^running in WebAssembly, slower than the native engine, because /)])
  expect(stderr).not.toMatch(/error/i)
  const accuracy = Number(/^held-out accuracy ([\d.]+) %/m.exec(stdout)?.[1])
  // 91 on two cores that have nothing else to do, 89 on a busy one (docs/results/README.md); tests of other files may run beside it.
  expect(accuracy, stdout).toBeGreaterThanOrEqual(85)
})
