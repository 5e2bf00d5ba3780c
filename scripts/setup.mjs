/**
 * @file All set-up, each step only when something is missing: npm packages, oneDNN, the native addon, the compiled
 * TypeScript. Runs before anything is installed, so it uses Node's own modules only. Ends with one line that says which
 * engine is ready. The native engine is optional: without it everything runs in WebAssembly.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installOnednn } from './install-onednn.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
process.chdir(root)

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Fovea needs Node 20.19 or newer; this is ${process.versions.node}`)
}

if (!packagesInstalled()) {
  say('installing npm packages')
  if (!run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])) fail('npm ci failed (see above)')
}

installOnednn({ root, say })
if (!run(process.execPath, ['node_modules/typescript/bin/tsc', '-b'])) fail('the TypeScript sources do not compile')
console.log(`engine: ${engine()}`)

/** Whether node_modules holds what package-lock.json asks for; npm writes its own record when an install is complete. */
function packagesInstalled() {
  if (!existsSync('node_modules/.package-lock.json')) return false
  const wanted = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages
  const present = JSON.parse(readFileSync('node_modules/.package-lock.json', 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, { version, optional, link }]) =>
      !path.startsWith('node_modules/') || optional || (link ? existsSync(path) : present[path]?.version === version),
  )
}

/** Brings the addon up to date. @returns which engine is ready; why it is not the native one has been said */
function engine() {
  const setup = ['packages/fovea-cli/bin/fovea.mjs', 'setup', '--build', '--json']
  const { stdout } = spawnSync(process.execPath, setup, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
  if (stdout.trim() === '') fail('`fovea setup` failed (see above)')
  return JSON.parse(stdout).detail
}

function run(command, args) {
  // On Windows, npm is a batch file, which only a shell starts.
  const shell = process.platform === 'win32' && command === 'npm'
  return spawnSync(command, args, { stdio: ['ignore', process.stderr, process.stderr], shell }).status === 0
}

function say(text) {
  console.error(`setup: ${text}`)
}

function fail(text) {
  say(text)
  process.exit(1)
}
