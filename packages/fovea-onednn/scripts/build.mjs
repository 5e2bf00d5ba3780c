#!/usr/bin/env node
/**
 * @file Builds the addon with the system's C++ compiler and nothing else: Node's headers come from the npm package
 * `node-api-headers`. Quick when nothing changed: a stamp holds the hash of all that goes in.
 * usage: node scripts/build.mjs [--sanitize]    Finds oneDNN in $FOVEA_ONEDNN_ROOT, .deps/onednn/usr, the system, Homebrew.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { compileFlags, native, sources } from './flags.mjs'
import { headerTexts, writeHeaders } from './generate.mjs'
import { findCompiler, findOnednn, missingTools, outputOf } from './toolchain.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const sanitize = process.argv.includes('--sanitize')
const build = join(root, sanitize ? 'build/sanitized' : 'build')

const fail = message => {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

/** A path as one word of a POSIX shell. */
const quoted = path => (/^[\w./@+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`)

const libraryFolders = folder =>
  ['lib', ...['x86_64-linux-gnu', 'aarch64-linux-gnu'].map(triplet => `lib/${triplet}`)]
    .map(name => join(folder, name))
    .filter(name => existsSync(name))

const missing = missingTools()
if (missing !== undefined) fail(missing)
const compiler = findCompiler()
const onednn = findOnednn(compiler)

const mac = process.platform === 'darwin'
const flags = [
  ...(sanitize
    ? ['-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined', '-fno-omit-frame-pointer']
    : ['-O3']),
  ...compileFlags(onednn),
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

const generated = await headerTexts().catch(error => fail(error.message))
const headers = [native, join(native, 'kernels')].flatMap(folder =>
  readdirSync(folder)
    .filter(name => name.endsWith('.h'))
    .map(name => join(folder, name)),
)
const inputs = [...sources.map(({ name }) => join(native, name)), ...headers]
const hash = createHash('sha256').update(
  JSON.stringify([compiler, outputOf(compiler, ['-dumpfullversion']), flags, linkFlags, generated]),
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
  const command = [process.execPath, fileURLToPath(import.meta.url)].map(quoted).join(' ')
  fail(`'${build}' cannot be written (${code}): run \`sudo ${command}\``)
}
writeHeaders(generated)
rmSync(stampFile, { force: true })
const compile = async ({ name, isa }) => {
  const object = join(build, name.replace('.cc', '.o'))
  await promisify(execFile)(compiler, [...flags, ...isa, '-c', join(native, name), '-o', object]).then(({ stderr }) =>
    process.stderr.write(stderr),
  )
  objects.push(object)
}
// As many at a time as there are cores: each takes 400 MB.
const objects = []
const waiting = [...sources]
const compileWaiting = async () => {
  for (let source = waiting.shift(); source !== undefined; source = waiting.shift()) await compile(source)
}
try {
  await Promise.all(Array.from({ length: availableParallelism() }, compileWaiting))
  await promisify(execFile)(compiler, [...objects, ...linkFlags, '-o', target])
  for (const object of objects) rmSync(object)
  writeFileSync(stampFile, stamp)
} catch (error) {
  fail(`the addon did not build:\n${error.stderr ?? error.message}`)
}
