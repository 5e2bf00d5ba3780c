/** @file What the addon is built with, a C++ compiler and oneDNN: where they are, and the command that gets what is missing. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The output of a command; '' where it fails or is not there. */
export function outputOf(command, args) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return ''
  }
}

/** $CXX where that is set, else the first that is there; undefined where it cannot be run. */
export function findCompiler() {
  const names = process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++']
  return names.find(name => outputOf(name, ['--version']) !== '')
}

const hasHeaders = folder => existsSync(join(folder, 'include/dnnl.hpp'))

/** The folder whose include/ and lib/ hold oneDNN; '' for the compiler's own search path, undefined where there is none. */
export function findOnednn(compiler) {
  const wished = process.env.FOVEA_ONEDNN_ROOT
  if (wished) return hasHeaders(wished) ? wished : undefined
  const brew = process.platform === 'darwin' ? outputOf('brew', ['--prefix', 'onednn']) : ''
  const found = [join(root, '../../.deps/onednn/usr'), brew].find(folder => folder && hasHeaders(folder))
  if (found) return found
  const probe = ['-std=c++17', '-M', '-x', 'c++', '-include', 'dnnl.hpp', '/dev/null']
  const system = compiler === undefined ? ['/usr', '/usr/local'].some(hasHeaders) : outputOf(compiler, probe) !== ''
  return system ? '' : undefined
}

/**
 * What cannot be found, in one line with what to do about it; undefined where all is there.
 * @returns {string | undefined}
 */
export function missingTools() {
  const { CXX, FOVEA_ONEDNN_ROOT } = process.env
  const compiler = findCompiler()
  if (CXX && compiler === undefined) return `CXX is '${CXX}', which cannot be run`
  if (FOVEA_ONEDNN_ROOT && !hasHeaders(FOVEA_ONEDNN_ROOT)) {
    return `FOVEA_ONEDNN_ROOT is '${FOVEA_ONEDNN_ROOT}', which holds no include/dnnl.hpp`
  }
  const missing = [
    ...(compiler === undefined ? [{ what: 'C++ compiler', debian: 'g++', mac: 'xcode-select --install' }] : []),
    ...(findOnednn(compiler) === undefined
      ? [{ what: 'oneDNN (dnnl.hpp)', debian: 'libdnnl-dev', mac: 'brew install onednn' }]
      : []),
  ]
  if (missing.length === 0) return undefined
  const apt = `apt-get install ${missing.map(({ debian }) => debian).join(' ')}`
  const advice = hasApt()
    ? `run \`${isRoot() ? '' : 'sudo '}${apt}\``
    : process.platform === 'darwin'
      ? `run \`${missing.map(({ mac }) => mac).join(' && ')}\``
      : 'install it, or set CXX and FOVEA_ONEDNN_ROOT to where it is'
  return `no ${missing.map(({ what }) => what).join(' and no ')} found: ${advice}`
}

export const hasApt = () => outputOf('apt-get', ['--version']) !== ''
export const isRoot = () => process.getuid?.() === 0
