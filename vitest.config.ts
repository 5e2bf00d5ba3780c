/** @file Tests of all packages, run from their sources. No time limits: a slow machine is not a wrong result. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(`packages/${path}`, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^fovea$/, replacement: source('fovea/src/index.ts') },
      { find: /^fovea\/engine$/, replacement: source('fovea/src/engines/kit.ts') },
      { find: /^fovea-onednn$/, replacement: source('fovea-onednn/src/index.ts') },
      { find: /^fovea-cli\/data$/, replacement: source('fovea-cli/src/data/index.ts') },
    ],
  },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
  },
})
