/**
 * @file The quality gate: lint, types, then the tests of all packages; with `--long` what takes longer: the sanitizers, then
 * the tests of files named `*.long.test.ts`. Each check counts as one test. Its last line is `N passed, N failed`, with the
 * tests that were skipped listed above it; it fails when anything failed. Other arguments are file filters for the tests.
 */
import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startVitest } from 'vitest/node'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

// Test files run side by side, each with native threads: those that wait for one another are not to keep the cores busy.
process.env.GOMP_SPINCOUNT ??= '2000'

const long = process.argv.includes('--long')
const tsc = 'node_modules/typescript/bin/tsc'
const quickChecks = [
  { name: 'lint (biome)', args: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'] },
  { name: 'import directions', args: ['scripts/check-imports.mjs'] },
  { name: 'file sizes', args: ['scripts/check-sizes.mjs'] },
  { name: 'types of the sources', args: [tsc, '-b'] },
  { name: 'types of the tests', args: [tsc, '-p', 'tsconfig.test.json'] },
]
const longChecks = [{ name: 'sanitizers', args: ['scripts/sanitize.mjs'] }]

const count = { passed: 0, failed: 0 }
const failures = []
const skipped = []

for (const { name, args } of long ? longChecks : quickChecks) {
  const ok = spawnSync(process.execPath, args, { stdio: 'inherit' }).status === 0
  console.log(`${ok ? ' ✓' : ' ✗'} ${name}`)
  count[ok ? 'passed' : 'failed']++
  if (!ok) failures.push(name)
}

const collector = {
  onTestRunEnd(modules, unhandledErrors) {
    for (const module of modules) {
      // A file that cannot be loaded has no tests to fail.
      for (const error of module.errors()) fail(`${module.relativeModuleId}: ${error.message}`)
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

function fail(line) {
  count.failed++
  failures.push(line)
}
