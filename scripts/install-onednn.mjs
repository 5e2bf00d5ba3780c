/**
 * @file Brings what the addon is built with and this machine lacks: as root with apt, without root into `.deps/onednn` of
 * the checkout, on a Mac with Homebrew. Does not know how the addon is built, nor where things are found.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  findCompiler,
  findOnednn,
  hasApt,
  isRoot,
  missingTools,
  outputOf,
} from '../packages/fovea-onednn/scripts/toolchain.mjs'

const dayMs = 24 * 3600 * 1000

/**
 * Installs a C++ compiler and oneDNN where they are missing and can be installed.
 * @param {{root: string, say: (text: string) => void}} context the checkout's folder, and where to tell people of progress
 */
export function installOnednn({ root, say }) {
  if (missingTools() === undefined) return
  // A machine without network should not wait for the same failure at every start.
  const memory = join(root, '.deps/onednn-not-found.json')
  if (existsSync(memory) && process.env.npm_lifecycle_event !== 'setup') {
    if (Date.now() - JSON.parse(readFileSync(memory, 'utf8')).time < dayMs) return
  }
  const { CXX, FOVEA_ONEDNN_ROOT } = process.env // Who names one does not want another.
  if (!CXX && findCompiler() === undefined && hasApt() && isRoot()) {
    say('installing g++ (apt-get)')
    installAsRoot(['g++'])
  }
  if (!FOVEA_ONEDNN_ROOT && findOnednn(findCompiler()) === undefined) {
    if (hasApt() && isRoot()) {
      say('installing oneDNN (apt-get install libdnnl-dev)')
      installAsRoot(['libdnnl-dev'])
    } else if (hasApt()) {
      say('unpacking oneDNN into .deps/onednn (apt-get download, no root needed)')
      unpackAsUser(root)
    } else if (process.platform === 'darwin' && outputOf('brew', ['--version'])) {
      say('installing oneDNN (brew install onednn)')
      spawnSync('brew', ['install', 'onednn'], { stdio: ['ignore', 2, 2] })
    }
  }
  if (missingTools() === undefined) return
  mkdirSync(join(root, '.deps'), { recursive: true })
  writeFileSync(memory, JSON.stringify({ time: Date.now() }))
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
    [...outputOf('apt-cache', [...options, 'depends', name]).matchAll(/^[\s|]*Depends: ([\w.+-]+)/gm)].map(
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
