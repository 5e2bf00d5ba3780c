/**
 * @file Claims about files that Keras itself writes: each model gets the probabilities that Keras gives. They need a Python with keras, h5py and
 * a backend: FOVEA_TEST_PYTHON names it, and KERAS_BACKEND the backend.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { referenceEngine } from '../../../src/engines/reference/reference.js'
import { importWeights, openWeights, predictProbabilities } from '../../../src/index.js'

const [python, ...before] = (process.env['FOVEA_TEST_PYTHON'] ?? 'python3').split(' ')
const run = (...args: readonly string[]): string =>
  execFileSync(python, [...before, ...args], { encoding: 'utf8', stdio: 'pipe' })

function hasKeras(): boolean {
  try {
    return run('-c', 'import keras, h5py') === ''
  } catch {
    return false
  }
}

describe.skipIf(!hasKeras())('the models of keras.applications (needs keras and h5py)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fovea-keras-'))
  beforeAll(() => void run(join(import.meta.dirname, 'write-with-keras.py'), folder), 600_000)

  test.each(
    ['efficientnet', 'nested', 'resnet'].flatMap(name =>
      ['.keras', '.h5', '.weights.h5', '-unnamed.weights.h5'].map(ending => [name, ending] as const),
    ),
  )('%s%s', async (name, ending) => {
    const { architecture, size, probabilities } = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as {
      readonly architecture: string
      readonly size: number
      readonly probabilities: readonly (readonly number[])[]
    }
    const file = readFileSync(join(folder, name + ending))
    // Weights alone are of no size.
    const input = ending.endsWith('.weights.h5') ? { input: [size, size, 3] as const } : {}
    const { model } = importWeights(openWeights(name + ending, file), architecture, input)
    expect(model.preprocessing.size).toEqual([size, size, 3])
    const pixels = new Uint8Array(readFileSync(join(folder, `${name}.pixels`)))
    const ours = await predictProbabilities(model, pixels, { engine: referenceEngine() })
    // Norms of a few pixels each enlarge what float32 rounds.
    for (const [i, p] of probabilities.flat().entries()) expect(Math.abs(ours[i] - p)).toBeLessThan(1e-3)
    expect(Math.max(...ours) - Math.min(...ours)).toBeGreaterThan(0.1)
  })
})
