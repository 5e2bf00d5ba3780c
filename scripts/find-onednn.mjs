/**
 * @file Finds oneDNN's headers and a C++ compiler, or brings them: as root with apt, without root into `.deps/onednn` of
 * the checkout, on a Mac with Homebrew. Knows where things are, not how the addon is built.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const asRoot = process.getuid?.() === 0
const dayMs = 24 * 3600 * 1000

/**
 * @param {{root: string, say: (text: string) => void}} context the checkout's folder, and where to tell people of progress
 * @returns {{problem?: string}} why there is no oneDNN, or nothing
 */
export function findOneDnn({ root, say }) {
  const hasApt = works('apt-get', ['--version'])
  if (!hasCompiler()) {
    if (asRoot && hasApt) {
      say('installing g++ (apt-get)')
      installAsRoot(['g++'])
    }
    if (!hasCompiler()) return { problem: 'no C++ compiler found; install g++ and run `npm run setup`' }
  }
  if (hasHeaders(root)) return {}

  // A machine without network should not wait for the same failure at every start.
  const memory = join(root, '.deps/onednn-not-found.json')
  if (existsSync(memory) && process.env.npm_lifecycle_event !== 'setup') {
    const { problem, time } = JSON.parse(readFileSync(memory, 'utf8'))
    if (Date.now() - time < dayMs) return { problem }
  }
  if (hasApt && asRoot) {
    say('installing oneDNN (apt-get install libdnnl-dev)')
    installAsRoot(['libdnnl-dev'])
  } else if (hasApt) {
    say('unpacking oneDNN into .deps/onednn (apt-get download, no root needed)')
    unpackAsUser(root)
  } else if (process.platform === 'darwin' && works('brew', ['--version'])) {
    say('installing oneDNN (brew install onednn)')
    spawnSync('brew', ['install', 'onednn'], { stdio: ['ignore', 2, 2] })
  }
  if (hasHeaders(root)) return {}
  const advice = hasApt ? 'apt-get install libdnnl-dev' : 'install oneDNN or set FOVEA_ONEDNN_ROOT'
  const problem = `oneDNN was not found and could not be fetched; ${advice}, then \`npm run setup\``
  mkdirSync(join(root, '.deps'), { recursive: true })
  writeFileSync(memory, JSON.stringify({ problem, time: Date.now() }))
  return { problem }
}

function hasCompiler() {
  return [process.env.CXX, 'c++', 'g++', 'clang++'].some(name => name && works(name, ['--version']))
}

function hasHeaders(root) {
  const prefixes = [process.env.FOVEA_ONEDNN_ROOT, join(root, '.deps/onednn/usr'), '/usr', '/usr/local']
  if (process.platform === 'darwin') prefixes.push(output('brew', ['--prefix', 'onednn']).trim())
  return prefixes.some(
    prefix =>
      prefix && ['include/oneapi/dnnl/dnnl.hpp', 'include/dnnl.hpp'].some(file => existsSync(join(prefix, file))),
  )
}

/** apt's lists may be missing or old on a fresh machine: try, then update and try again. */
function installAsRoot(packages) {
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...packages]
  if (!apt(install)) apt(['update', '-qq']) && apt(install)
}

/** Downloads the packages and unpacks them into `.deps/onednn`, with apt's lists of its own when the system's do not serve. */
function unpackAsUser(root) {
  const target = join(root, '.deps/onednn')
  const debs = join(root, '.deps/debs')
  const state = join(root, '.deps/apt')
  const own = ['-o', `Dir::State::lists=${state}/lists`, '-o', `Dir::Cache=${state}/cache`]
  for (const folder of [target, debs, `${state}/lists/partial`, `${state}/cache/archives/partial`]) {
    mkdirSync(folder, { recursive: true })
  }
  const fetched = download([], debs) || (apt([...own, 'update', '-qq']) && download(own, debs))
  if (fetched) {
    for (const file of readdirSync(debs))
      spawnSync('dpkg', ['-x', join(debs, file), target], { stdio: ['ignore', 2, 2] })
  }
  for (const folder of [debs, state]) rmSync(folder, { recursive: true, force: true })
}

/** The header package, the library (its name carries the version: libdnnl2, libdnnl3) and what that library loads. */
function download(options, folder) {
  const dependencies = name =>
    [...output('apt-cache', [...options, 'depends', name]).matchAll(/^[\s|]*Depends: ([\w.+-]+)/gm)].map(
      match => match[1],
    )
  const library = dependencies('libdnnl-dev').find(name => /^libdnnl[\d.]+/.test(name))
  if (library === undefined) return false
  const loaded = dependencies(library).filter(name => /^(libgomp|ocl-icd-libopencl|libtbb)/.test(name))
  return apt([...options, 'download', '-qq', 'libdnnl-dev', library, ...loaded], folder)
}

function apt(args, cwd) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync('apt-get', args, { cwd, env, stdio: ['ignore', 2, 2] }).status === 0
}

function works(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

function output(command, args) {
  return spawnSync(command, args, { encoding: 'utf8' }).stdout ?? ''
}
