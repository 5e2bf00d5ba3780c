#!/usr/bin/env node
/**
 * @file The kernels need no more than WebAssembly has: they compile, without a warning, where there is no OpenMP and where nothing
 * can be thrown.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { kernelFlags, native } from '../packages/fovea-onednn/scripts/flags.mjs'
import { headerTexts, writeHeaders } from '../packages/fovea-onednn/scripts/generate.mjs'
import { findCompiler, missingTools } from '../packages/fovea-onednn/scripts/toolchain.mjs'
import { skip } from './skip.mjs'

const compiler = findCompiler()
if (compiler === undefined) {
  await skip(missingTools())
} else {
  writeHeaders(await headerTexts())
  const args = ['-fsyntax-only', '-Werror', '-fno-exceptions', '-fno-rtti', ...kernelFlags]
  try {
    execFileSync(compiler, [...args, join(native, 'kernels_generic.cc')], { stdio: 'inherit' })
  } catch {
    process.exitCode = 1
  }
}
