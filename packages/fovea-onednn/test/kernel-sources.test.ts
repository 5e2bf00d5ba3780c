/** @file Claims about scripts/check-kernels.mjs: kernels that need more than WebAssembly has are refused, line by line. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

const folder = mkdtempSync(join(tmpdir(), 'fovea-kernels-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('a kernel with threads, exceptions, memory or headers of its own is refused, with its line and what to use instead', () => {
  cpSync(path('../native'), folder, { recursive: true })
  const pool = join(folder, 'kernels/pool.h')
  const lines = readFileSync(pool, 'utf8').split('\n')
  const added = [
    '#include <omp.h>',
    '#include <iostream>',
    '#include "../plan.h"',
    '#pragma omp parallel for',
    'inline int processors() { return omp_get_num_procs(); }',
    'inline void refuse() { throw 1; }',
    'inline float* memory() { return new float[8]; }',
    '// omp, throw and new in a comment,',
    '/* or in one',
    '   of several lines: new */',
    'inline const char* text() { return "new, // throw"; }',
  ]
  writeFileSync(pool, [...lines, ...added].join('\n'))
  const { status, stderr } = spawnSync(process.execPath, [path('../../../scripts/check-kernels.mjs'), folder], {
    encoding: 'utf8',
  })
  expect(status).toBe(1)
  const lineAndText = (line: string): string =>
    line.replace(/^.*\/kernels\/pool\.h:(\d+): /, (_, at) => `${at - lines.length} `)
  expect(stderr.trimEnd().split('\n').map(lineAndText)).toEqual([
    '1 <omp.h> is not for kernels: split work over threads with parallel() of parallel.h',
    expect.stringMatching(/^2 <iostream> is not for kernels: include <arm_neon.h>, .*<type_traits>$/),
    `3 "../plan.h" is none of the kernels' headers: include those of kernels/, fields.h, parallel.h, simd.h, step.h`,
    "4 'omp' is not for kernels: split work over threads with parallel() of parallel.h",
    "5 'omp_get_num_procs' is not for kernels: split work over threads with parallel() of parallel.h",
    expect.stringContaining("6 'throw' is not for kernels: refuse what the kernel cannot do where the plan is built"),
    expect.stringContaining("7 'new' is not for kernels: give the kernel a 'scratch' buffer"),
  ])
})
