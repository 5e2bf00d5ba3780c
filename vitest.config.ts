/**
 * @file Tests of all packages, run from their sources; those that take long are in vitest.long.config.ts. No time limits: a
 * slow machine is not a wrong result.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { configDefaults, defineConfig } from 'vitest/config'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

const readJson = (file: string): unknown => JSON.parse(readFileSync(path(file), 'utf8'))

const { workspaces } = readJson('package.json') as { readonly workspaces: readonly string[] }

/** What a package exports from dist/, taken from src/: tests see the sources as they are, built or not. */
const aliases = workspaces.flatMap(folder => {
  const { name, exports } = readJson(`${folder}/package.json`) as {
    readonly name: string
    readonly exports: Readonly<Record<string, { readonly default: string }>>
  }
  return Object.entries(exports).map(([subpath, { default: built }]) => ({
    find: new RegExp(`^${name}${subpath.slice(1)}$`),
    replacement: path(`${folder}/${built.replace('./dist/', 'src/').replace(/\.js$/, '.ts')}`),
  }))
})

export default defineConfig({
  resolve: { alias: aliases },
  test: {
    include: ['packages/*/test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, '**/*.long.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    globalSetup: path('scripts/test-folder.mjs'),
    pool: 'forks',
    // Vitest leaves one core free; a test file waits for its processes at times, and another can run then.
    maxWorkers: availableParallelism(),
  },
})
