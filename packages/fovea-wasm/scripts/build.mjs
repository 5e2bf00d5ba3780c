#!/usr/bin/env node
/**
 * @file Builds wasm/fovea.wasm and wasm/fovea-relaxed.wasm, which are kept in the repository: only who changes a kernel needs the
 * compiler. wasm/sources.json says what they were built from and which files came of it; a test compares that with what is there.
 * usage: npm run build:wasm    On Debian 12 or newer, after
 * `apt-get install clang-19 lld-19 libc++-19-dev-wasm32 libclang-rt-19-dev-wasm32 wasi-libc` and `npx tsc -b`.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesHashes, folders, generatedHeaders, sourcesHash } from './sources.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const wasm = join(root, 'wasm')

/** Both have SIMD and threads, which all browsers have; relaxed SIMD adds products that are rounded once, as a processor has them. */
const files = { 'fovea.wasm': [], 'fovea-relaxed.wasm': ['-mrelaxed-simd'] }

const compileFlags = [
  '--target=wasm32-wasi',
  '-std=c++17',
  '-stdlib=libc++',
  '-O3',
  ...['-msimd128', '-matomics', '-mbulk-memory'],
  ...['-fno-exceptions', '-fno-rtti', '-fno-math-errno', '-ffp-contract=off'],
  ...['-Wall', '-Wextra', '-Werror', '-Wno-unknown-pragmas', '-Wno-unused-function', '-Wno-pass-failed'],
  ...folders.flatMap(folder => ['-I', folder]),
]
const linkFlags = [
  '-nostartfiles',
  ...['--no-entry', '--import-memory', '--shared-memory', '--max-memory=4294967296', '--no-check-features'],
  ...['-z stack-size=1048576', '--export=__stack_pointer', '--export=__heap_base', '--strip-all'].flatMap(flag =>
    flag.split(' '),
  ),
].map(flag => (flag === '-nostartfiles' ? flag : `-Wl,${flag}`))

const headers = await generatedHeaders()
mkdirSync(folders[0], { recursive: true })
mkdirSync(wasm, { recursive: true })
for (const [name, text] of Object.entries(headers)) writeFileSync(join(folders[0], name), text)
for (const [name, flags] of Object.entries(files)) {
  const sources = ['engine.cc', 'team.cc'].map(source => join(root, 'native', source))
  const args = [...compileFlags, ...flags, ...sources, ...linkFlags, '-o', join(wasm, name)]
  const { status, error } = spawnSync('clang++-19', args, { stdio: 'inherit' })
  if (error) {
    console.error(
      `clang++-19 cannot be run (${error.code}): \`apt-get install clang-19 lld-19 libc++-19-dev-wasm32 libclang-rt-19-dev-wasm32 wasi-libc\``,
    )
    process.exit(1)
  }
  if (status !== 0) process.exit(1)
  chmodSync(join(wasm, name), 0o644) // the linker makes a program of it
}
const record = { sources: sourcesHash(headers), files: filesHashes() }
writeFileSync(join(wasm, 'sources.json'), `${JSON.stringify(record, null, 2)}\n`)
