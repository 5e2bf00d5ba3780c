#!/usr/bin/env node
/**
 * @file Builds the addon with the system's C++ compiler and nothing else: Node's headers come from the npm package
 * `node-api-headers`. Quick when nothing changed: a stamp holds the hash of all that goes in.
 * usage: node scripts/build.mjs [--sanitize]    Finds oneDNN in $FOVEA_ONEDNN_ROOT, .deps/onednn/usr, the system, Homebrew.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findCompiler, outputOf } from './compiler.mjs'

const require = createRequire(import.meta.url)
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const native = join(root, 'native')
const sanitize = process.argv.includes('--sanitize')
const build = join(root, sanitize ? 'build/sanitized' : 'build')

const fail = message => {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

/** The folder whose include/ and lib/ hold oneDNN; '' stands for the compiler's own search path. */
function findOnednn(compiler) {
  const folders = [
    process.env.FOVEA_ONEDNN_ROOT,
    join(root, '../../.deps/onednn/usr'),
    outputOf('brew', ['--prefix', 'onednn']),
  ]
  const found = folders.find(folder => folder && existsSync(join(folder, 'include/dnnl.hpp')))
  if (found) return found
  const probe = outputOf(compiler, ['-std=c++17', '-M', '-x', 'c++', '-include', 'dnnl.hpp', '/dev/null'])
  return probe === '' ? undefined : ''
}

const libraryFolders = folder =>
  ['lib', ...['x86_64-linux-gnu', 'aarch64-linux-gnu'].map(triplet => `lib/${triplet}`)]
    .map(name => join(folder, name))
    .filter(name => existsSync(name))

const compiler = findCompiler()
if (compiler === undefined) fail('no C++ compiler found (looked for $CXX, c++, g++, clang++): install g++')
const onednn = findOnednn(compiler)
if (onednn === undefined) fail('no oneDNN found (dnnl.hpp): install libdnnl-dev, or set FOVEA_ONEDNN_ROOT')

const mac = process.platform === 'darwin'
const avx512 = ['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mfma', '-mprefer-vector-width=512']
const isaFlags = {
  kernels_avx2: ['-mavx2', '-mfma', '-mf16c'],
  kernels_avx512: avx512,
  kernels_avx512_bf16: [...avx512, '-mavx512bf16'],
}
// No -ffast-math: NaN must stay NaN. -fno-trapping-math and -fno-math-errno only drop side effects nobody reads.
const flags = [
  '-std=c++17',
  ...(sanitize
    ? ['-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined', '-fno-omit-frame-pointer']
    : ['-O3']),
  '-fPIC',
  '-fvisibility=hidden',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-Wall',
  '-Wextra',
  '-Wno-psabi',
  ...(mac ? ['-Xpreprocessor', '-fopenmp'] : ['-fopenmp']),
  '-DNAPI_VERSION=8',
  '-DNODE_ADDON_API_CPP_EXCEPTIONS',
  '-isystem',
  require('node-api-headers').include_dir,
  '-isystem',
  require('node-addon-api').include_dir,
  ...(onednn ? ['-isystem', join(onednn, 'include')] : []),
]
const linkFlags = [
  '-shared',
  ...(sanitize ? ['-fsanitize=address,undefined'] : []),
  ...(mac ? ['-undefined', 'dynamic_lookup', '-lomp'] : ['-fopenmp']),
  // An rpath of the old kind: it also finds what libdnnl itself loads (libOpenCL, libgomp) in the same folder.
  ...(onednn && !mac ? ['-Wl,--disable-new-dtags'] : []),
  ...(onednn ? libraryFolders(onednn).flatMap(folder => [`-L${folder}`, `-Wl,-rpath,${folder}`]) : []),
  '-ldnnl',
]

const sources = readdirSync(native)
  .filter(name => name.endsWith('.cc'))
  .filter(name => process.arch === 'x64' || !(name.replace('.cc', '') in isaFlags))
const headers = [native, join(native, 'kernels')].flatMap(folder =>
  readdirSync(folder)
    .filter(name => name.endsWith('.h'))
    .map(name => join(folder, name)),
)
const inputs = [...sources.map(name => join(native, name)), ...headers]
const hash = createHash('sha256').update(
  JSON.stringify([compiler, outputOf(compiler, ['-dumpfullversion']), flags, linkFlags]),
)
for (const file of inputs) hash.update(readFileSync(file))
const stamp = hash.digest('hex')
const target = join(build, 'fovea_onednn.node')
const stampFile = join(build, 'stamp')
if (existsSync(target) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) process.exit(0)

mkdirSync(build, { recursive: true })
rmSync(stampFile, { force: true })
const compile = async name => {
  const object = join(build, name.replace('.cc', '.o'))
  const isa = isaFlags[name.replace('.cc', '')] ?? []
  await promisify(execFile)(compiler, [...flags, ...isa, '-c', join(native, name), '-o', object]).then(({ stderr }) =>
    process.stderr.write(stderr),
  )
  return object
}
try {
  const objects = await Promise.all(sources.map(compile))
  await promisify(execFile)(compiler, [...objects, ...linkFlags, '-o', target])
  for (const object of objects) rmSync(object)
  writeFileSync(stampFile, stamp)
} catch (error) {
  fail(`the addon did not build:\n${error.stderr ?? error.message}`)
}
