/** @file How each of the addon's sources is compiled, and which there are. The build and the check of oneDNN's headers share it. */
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generated } from './generate.mjs'

const require = createRequire(import.meta.url)

/** The folder of the addon's sources. */
export const native = join(dirname(dirname(fileURLToPath(import.meta.url))), 'native')

const avx512 = ['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mfma', '-mprefer-vector-width=512']
const isaFlags = {
  'kernels_avx2.cc': ['-mavx2', '-mfma', '-mf16c'],
  'kernels_avx512.cc': avx512,
  'kernels_avx512_amx.cc': [...avx512, '-mavx512bf16', '-mamx-tile', '-mamx-bf16'],
  'kernels_avx512_bf16.cc': [...avx512, '-mavx512bf16'],
  'pack_weights.cc': [...avx512, '-mavx512bf16'],
}

/** The files that are compiled for this processor's architecture, each with the flags of its own: `{ name, isa }`. */
export const sources = readdirSync(native)
  .filter(name => name.endsWith('.cc') && (process.arch === 'x64' || isaFlags[name] === undefined))
  .map(name => ({ name, isa: isaFlags[name] ?? [] }))

/** What the kernels are compiled with, whatever for. */
export const kernelFlags = [
  '-std=c++17',
  // No -ffast-math: NaN must stay NaN. These two only drop side effects nobody reads.
  '-fno-math-errno',
  '-fno-trapping-math',
  '-Wall',
  '-Wextra',
  '-Wno-psabi',
  ...['-I', native, '-I', generated],
]

/**
 * What all files of the addon are compiled with, but for how they are optimized.
 * @param {string} onednn the folder whose include/ holds oneDNN's headers; '' for the compiler's own search path
 * @returns {string[]}
 */
export function compileFlags(onednn) {
  return [
    ...kernelFlags,
    '-fPIC',
    '-fvisibility=hidden',
    ...(process.platform === 'darwin' ? ['-Xpreprocessor', '-fopenmp'] : ['-fopenmp']),
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
}
