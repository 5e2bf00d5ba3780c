/**
 * @file The quality gate: lint, types, then the tests of all packages; with `--long` what takes longer: the sanitizers, a
 * fresh Debian, then the tests of files named `*.long.test.ts`. Each check counts as one test. Its last line is `N passed, N
 * failed`, with the tests that were skipped listed above it; it fails when anything failed. Other arguments are file filters
 * for the tests.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startVitest } from 'vitest/node'
import { ownRelease, releases } from './debian.mjs'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

const long = process.argv.includes('--long')
const tsc = 'node_modules/typescript/bin/tsc'
const quickChecks = [
  { name: 'lint (biome)', args: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'] },
  { name: 'import directions', args: ['scripts/check-imports.mjs'] },
  { name: 'file sizes', args: ['scripts/check-sizes.mjs'] },
  { name: 'types of the sources', args: [tsc, '-b'] },
  { name: 'types of the tests', args: [tsc, '-p', 'tsconfig.test.json'] },
  { name: 'types of the example pages', args: [tsc, '-p', 'examples/browser'] },
  { name: 'the addon compiles with oneDNN 2 and 3', args: ['scripts/check-headers.mjs'] },
  { name: 'the kernels need no more than WebAssembly has', args: ['scripts/check-kernels.mjs'] },
]
const longChecks = [
  { name: 'sanitizers', args: ['scripts/sanitize.mjs'] },
  ...releases
    .filter(release => release !== ownRelease())
    .map(release => ({ name: `a fresh Debian ${release}`, args: ['scripts/try-on.mjs', release] })),
]

const count = { passed: 0, failed: 0 }
const failures = []
const skipped = []

for (const check of long ? longChecks : quickChecks) await run(check)

const collector = {
  onTestRunEnd(modules, unhandledErrors) {
    for (const module of modules) {
      // A file that cannot be loaded has no tests to fail.
      for (const error of module.errors()) fail(`${module.relativeModuleId}: ${error.message}`)
      // What a suite does before its tests may fail: they are skipped then.
      for (const suite of module.children.allSuites()) {
        for (const error of suite.errors()) fail(`${module.relativeModuleId}: ${suite.fullName}: ${error.message}`)
      }
      for (const test of module.children.allTests()) {
        const { state, note } = test.result()
        if (state === 'passed') count.passed++
        else if (state === 'failed') fail(`${module.relativeModuleId}: ${test.fullName}`)
        else skipped.push(`${test.fullName}${note ? `: ${note}` : ''}`)
      }
    }
    for (const error of unhandledErrors) fail(`outside of tests: ${error.message}`)
  },
}

const filters = process.argv.slice(2).filter(argument => argument !== '--long')
const config = long ? 'vitest.long.config.ts' : 'vitest.config.ts'
const vitest = await startVitest('test', filters, { config, watch: false, reporters: ['default', collector] })
await vitest.close()

if (skipped.length > 0) console.log(`\nskipped (${skipped.length}):\n${skipped.map(line => `  ${line}`).join('\n')}`)
if (failures.length > 0) console.log(`\nfailed:\n${failures.map(line => `  ${line}`).join('\n')}`)
if (count.passed + count.failed === 0) fail('no test ran')
console.log(`\n${count.passed} passed, ${count.failed} failed`)
process.exit(count.failed > 0 ? 1 : 0)

/** Runs a check; what it leaves out it says with scripts/skip.mjs. */
async function run({ name, args }) {
  const child = spawn(process.execPath, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  const left = []
  child.on('message', ({ skipped }) => left.push(`${name}: ${skipped}`))
  const [status] = await once(child, 'close')
  skipped.push(...left)
  if (status !== 0) fail(name)
  else if (left.length === 0) count.passed++
  console.log(`${status !== 0 ? ' ✗' : left.length > 0 ? ' ↓' : ' ✓'} ${name}`)
}

function fail(line) {
  count.failed++
  failures.push(line)
}
