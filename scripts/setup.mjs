/**
 * @file All set-up, each step only when something is missing: npm packages, oneDNN, the native addon, the compiled
 * TypeScript. Runs before anything is installed, so it uses Node's own modules only. Ends with one line that says which
 * engine is ready and why. The native engine is optional: without it everything runs on the reference engine.
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
  const command = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  if (!run(command, ['ci', '--no-audit', '--no-fund', '--loglevel=error'])) fail('npm ci failed (see above)')
}

const addonProblem = buildAddon()
if (!run(process.execPath, ['node_modules/typescript/bin/tsc', '-b'])) fail('the TypeScript sources do not compile')
console.log(`engine: ${engineLine()}`)

/** Whether node_modules holds what package-lock.json asks for; npm writes its own record when an install is complete. */
function packagesInstalled() {
  if (!existsSync('node_modules/.package-lock.json')) return false
  const wanted = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages
  const present = JSON.parse(readFileSync('node_modules/.package-lock.json', 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, { version, optional, link }]) =>
      !path.startsWith('node_modules/') || optional || link || present[path]?.version === version,
  )
}

/** Finds (or installs) oneDNN and builds the addon. Returns why there is none, or undefined. */
function buildAddon() {
  installOnednn({ root, say })
  const built = spawnSync(process.execPath, ['packages/fovea-onednn/scripts/build.mjs'], {
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
  })
  if (built.status === 0) return undefined
  console.error(built.stderr.trim())
  const [first = 'no message', second = ''] = built.stderr.trim().split('\n')
  return first.endsWith(':') ? `${first} ${second}` : first
}

/** Asks the compiled engine in a process of its own, so that a broken addon can do no harm here. */
function engineLine() {
  const script = `
    const { onednnStatus } = await import('fovea-onednn')
    console.log(JSON.stringify(onednnStatus()))`
  const asked = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  let answer = {
    available: false,
    detail: asked.signal ? `the addon crashed (${asked.signal})` : 'the addon does not load',
  }
  try {
    if (asked.status === 0) answer = JSON.parse(asked.stdout.trim().split('\n').at(-1))
  } catch {}
  return answer.available ? answer.detail : `reference (TypeScript): ${addonProblem ?? answer.detail}`
}

function run(command, args) {
  return spawnSync(command, args, { stdio: ['ignore', process.stderr, process.stderr] }).status === 0
}

function say(text) {
  console.error(`setup: ${text}`)
}

function fail(text) {
  say(text)
  process.exit(1)
}
