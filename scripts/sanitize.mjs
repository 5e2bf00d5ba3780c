#!/usr/bin/env node
/**
 * @file Runs the native engine's tests with its addon built under the address and undefined-behaviour sanitizers. Fails
 * at the first access out of bounds, use after free or undefined operation, with its place in the sources. Needs g++ or
 * clang with their sanitizers' libraries, on Linux.
 * usage: node scripts/sanitize.mjs [files of tests]    By default the conformance table and the tests of single kernels.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findCompiler, outputOf } from '../packages/fovea-onednn/scripts/toolchain.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const addon = join(root, 'packages/fovea-onednn/build/sanitized/fovea_onednn.node')
console.log('building the addon with the sanitizers')
const build = spawnSync(process.execPath, [join(root, 'packages/fovea-onednn/scripts/build.mjs'), '--sanitize'], {
  stdio: 'inherit',
})
if (build.status !== 0) process.exit(1)

// Node itself is not instrumented, so the sanitizer's library has to be loaded before it.
const compiler = findCompiler()
const library = ['libasan.so', 'libclang_rt.asan-x86_64.so', 'libclang_rt.asan-aarch64.so']
  .map(name => outputOf(compiler, [`-print-file-name=${name}`]))
  .find(path => path.startsWith('/') && existsSync(path))
if (library === undefined) {
  console.error(`${compiler} has no library of the address sanitizer: install it, or set CXX to a compiler that has`)
  process.exit(1)
}

const table = ['conformance', 'input-gradient', 'weight-gradient', 'weight-layout', 'winograd', 'float16'].map(
  name => `packages/fovea-onednn/test/${name}.test.ts`,
)
const files = process.argv.length > 2 ? process.argv.slice(2) : table
// A dot for each test, or a log would show nothing for minutes.
const reporter = process.stdout.isTTY ? [] : ['--reporter=dot']
const tests = spawnSync(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--no-isolate', ...reporter, ...files],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      ...(reporter.length > 0 && { NO_COLOR: '1' }),
      // With a name given, an addon that does not load is an error and no reason to skip.
      FOVEA_ONEDNN_ADDON: addon,
      LD_PRELOAD: library,
      // Node keeps some of its memory until it ends: leaks are looked for by the engine's own test.
      ASAN_OPTIONS: 'detect_leaks=0',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    },
  },
)
process.exit(tests.status ?? 1)
