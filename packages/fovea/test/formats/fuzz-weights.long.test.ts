/**
 * @file Each reader of weights is given changed files for ten minutes: FOVEA_FUZZ_SECONDS says how long, FOVEA_FUZZ_SEED which. What is
 * found becomes a case in the other tests.
 */
import { expect, test } from 'vitest'
import { changedFile, readAll, readers } from './fuzz-weights.js'

const seconds = Number(process.env['FOVEA_FUZZ_SECONDS'] ?? 600)
const seed = Number(process.env['FOVEA_FUZZ_SEED'] ?? Date.now() % 1_000_000)

test.each(Object.keys(readers))('%s', reader => {
  const end = performance.now() + 1000 * seconds
  let number = 0
  for (; performance.now() < end; number++) {
    try {
      readAll(changedFile(reader, seed, number))
    } catch (error) {
      throw new Error(`changedFile('${reader}', ${seed}, ${number}): ${error}`, { cause: error })
    }
  }
  const { arrayBuffers } = process.memoryUsage()
  expect(arrayBuffers).toBeLessThan(200 * 2 ** 20)
  process.stderr.write(`${reader}: ${number} files, seed ${seed}\n`)
})
