/** @file The reader of ONNX files is given changed ones for ten minutes: FOVEA_FUZZ_SECONDS and FOVEA_FUZZ_SEED as in fuzz-weights.long.test.ts. */
import { expect, test } from 'vitest'
import { changedOnnx, readOnnx } from './fuzz-onnx.js'

const seconds = Number(process.env['FOVEA_FUZZ_SECONDS'] ?? 600)
const seed = Number(process.env['FOVEA_FUZZ_SEED'] ?? Date.now() % 1_000_000)

test('onnx', () => {
  const end = performance.now() + 1000 * seconds
  let [number, read, longest] = [0, 0, 0]
  for (; performance.now() < end; number++) {
    const start = performance.now()
    try {
      if (readOnnx(changedOnnx(seed, number)) === 'read') read++
    } catch (error) {
      throw new Error(`changedOnnx(${seed}, ${number}): ${error}`, { cause: error })
    }
    longest = Math.max(longest, performance.now() - start)
  }
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(200 * 2 ** 20)
  process.stderr.write(`onnx: ${number} files, ${read} read, the slowest in ${Math.round(longest)} ms, seed ${seed}\n`)
})
