/** @file The tests that take long, `*.long.test.ts`: `npm run test:long` runs them, `npm test` does not. None has a time limit. */
import { configDefaults, defineConfig } from 'vitest/config'
import config from './vitest.config.js'

export default defineConfig({
  ...config,
  test: {
    ...config.test,
    include: ['packages/*/test/**/*.long.test.ts'],
    exclude: configDefaults.exclude,
    testTimeout: 0,
    hookTimeout: 0,
  },
})
