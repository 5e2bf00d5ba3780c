#!/usr/bin/env node
/**
 * @file Builds the addon with the system's C++ compiler and nothing else: Node's headers come from the npm package
 * `node-api-headers`. Quick when nothing changed: a stamp holds the hash of all that goes in.
 * usage: node scripts/build.mjs [--sanitize]    Finds oneDNN in $FOVEA_ONEDNN_ROOT, .deps/onednn/usr, the system, Homebrew.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findCompiler, findOnednn, missingTools, outputOf } from './toolchain.mjs'

const require = createRequire(import.meta.url)
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const native = join(root, 'native')
const sanitize = process.argv.includes('--sanitize')
const build = join(root, sanitize ? 'build/sanitized' : 'build')

const fail = message => {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

const libraryFolders = folder =>
  ['lib', ...['x86_64-linux-gnu', 'aarch64-linux-gnu'].map(triplet => `lib/${triplet}`)]
    .map(name => join(folder, name))
    .filter(name => existsSync(name))

const missing = missingTools()
if (missing !== undefined) fail(missing)
const compiler = findCompiler()
const onednn = findOnednn(compiler)

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
  // Every C++ exception becomes one of JavaScript's, unless the environment is ending and takes none.
  '-DNODE_ADDON_API_CPP_EXCEPTIONS_ALL',
  '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
  '-isystem',
  require('node-api-headers').include_dir,
  '-isystem',
  require('node-addon-api').include_dir,
  ...(onednn ? ['-isystem', join(onednn, 'include')] : []),
]
const linkFlags = [
  '-shared',
  // Node unloads an addon with the last worker that used it, and OpenMP's threads would be left without their code.
  ...(mac ? [] : ['-Wl,-z,nodelete']),
  ...(sanitize ? ['-fsanitize=address,undefined'] : []),
  ...(mac ? ['-undefined', 'dynamic_lookup', '-lomp'] : ['-fopenmp']),
  // An rpath of the old kind: it also finds what libdnnl itself loads (libOpenCL, libgomp) in the same folder. Beside the
  // addon they lie in the platform's package, which holds a copy of this file.
  ...(mac ? [] : ['-Wl,--disable-new-dtags', '-Wl,-rpath,$ORIGIN']),
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

try {
  mkdirSync(build, { recursive: true })
  accessSync(build, constants.W_OK)
} catch ({ code }) {
  fail(`'${build}' cannot be written (${code}): run \`sudo "${process.execPath}" "${fileURLToPath(import.meta.url)}"\``)
}
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
