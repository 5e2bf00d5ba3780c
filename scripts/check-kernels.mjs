#!/usr/bin/env node
/**
 * @file The kernels need no more than WebAssembly has. Their texts have no threads but those of parallel.h, no exceptions, no
 * memory of their own and little of C++'s library; and they compile, without a warning, where there is no OpenMP and where
 * nothing can be thrown.
 * usage: node scripts/check-kernels.mjs [FOLDER]    FOLDER: the sources, if not those of packages/fovea-onednn
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, normalize, relative } from 'node:path'
import { kernelFlags, native } from '../packages/fovea-onednn/scripts/flags.mjs'
import { headerTexts, writeHeaders } from '../packages/fovea-onednn/scripts/generate.mjs'
import { findCompiler, missingTools } from '../packages/fovea-onednn/scripts/toolchain.mjs'
import { skip } from './skip.mjs'

/** What kernels may include of the compiler's headers. */
const library = [
  'arm_neon.h',
  'cmath',
  'cstddef',
  'cstdint',
  'cstring',
  'immintrin.h',
  'initializer_list',
  'limits',
  'type_traits',
]

/** Beside kernels/: what kernels share with the rest of the addon. Only parallel.h may speak of OpenMP. */
const shared = ['fields.h', 'parallel.h', 'simd.h', 'step.h']

const threads = 'split work over threads with parallel() of parallel.h'
const refused = [
  { pattern: /\b(omp(_\w+)?|_OPENMP)\b/, instead: threads, allowedIn: 'parallel.h' },
  {
    pattern: /\b(throw|try|catch)\b/,
    instead: 'refuse what the kernel cannot do where the plan is built (packages/fovea/src/engines/planned)',
  },
  {
    pattern: /\b(new|\w*alloc)\b/,
    instead: "give the kernel a 'scratch' buffer (packages/fovea/src/engines/planned/kernels/table.ts)",
  },
]

const folder = process.argv[2] ?? native
const generated = await headerTexts()
const sources = [
  ...readdirSync(folder).filter(name => /^kernels_.*\.cc$/.test(name)),
  ...readdirSync(join(folder, 'kernels')).map(name => `kernels/${name}`),
  ...shared,
]

const problems = sources.flatMap(source =>
  linesOf(source).flatMap((line, index) => {
    const problem = problemOf(line, source)
    return problem === undefined ? [] : [`${join(relative('', folder), source)}:${index + 1}: ${problem}`]
  }),
)
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
else await compile()

/** Of a source, comments left out. */
function linesOf(source) {
  return readFileSync(join(folder, source), 'utf8')
    .replace(/"(?:\\.|[^"\\\n])*"|\/\/.*|\/\*[\s\S]*?\*\//g, part =>
      part.startsWith('"') ? part : part.replace(/[^\n]/g, ' '),
    )
    .split('\n')
}

/** What is wrong with a line, and what to do instead; undefined if nothing is. */
function problemOf(line, source) {
  const [, system, own] = /^\s*#\s*include\s*(?:<(.*)>|"(.*)")/.exec(line) ?? []
  if (own !== undefined) {
    const candidates = [normalize(join(source, '..', own)), own]
    if (candidates.some(name => sources.includes(name) || generated[name] !== undefined)) return undefined
    return `"${own}" is none of the kernels' headers: include those of kernels/, ${shared.join(', ')}`
  }
  if (system === 'omp.h') return source === 'parallel.h' ? undefined : `<omp.h> is not for kernels: ${threads}`
  if (system !== undefined) {
    return library.includes(system) ? undefined : `<${system}> is not for kernels: include <${library.join('>, <')}>`
  }
  const code = line.replace(/"(\\.|[^"\\])*"/g, '""')
  for (const { pattern, instead, allowedIn } of refused) {
    const [word] = pattern.exec(code) ?? []
    if (word !== undefined && source !== allowedIn) return `'${word}' is not for kernels: ${instead}`
  }
  return undefined
}

async function compile() {
  const compiler = findCompiler()
  if (compiler === undefined) return skip(missingTools())
  writeHeaders(generated)
  const args = ['-fsyntax-only', '-Werror', '-fno-exceptions', '-fno-rtti', ...kernelFlags]
  try {
    execFileSync(compiler, [...args, join(folder, 'kernels_generic.cc')], { stdio: 'inherit' })
  } catch {
    process.exitCode = 1
  }
}
