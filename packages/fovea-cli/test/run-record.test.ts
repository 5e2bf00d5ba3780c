/** @file Claims about run.json: it is read as it was written, says how to repeat the run, and names what is wrong with it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { arrayDataset, createModel, type DataSplits, referenceEngine, resolveSettings } from 'fovea'
import { wasmEngine } from 'fovea-wasm'
import { describe, expect, test } from 'vitest'
import { RunFolder } from '../src/run-folder.js'
import { finished, type RunRequest, recordOf, requestedSettings } from '../src/run-record.js'
import { temporaryFolder } from './run-fovea.js'

const request: RunRequest = { model: 'resnet8', data: 'pets', epochs: 2, batch: 4, precision: 'float32', seed: 3 }
const images = (name: string, count: number) =>
  arrayDataset({
    name,
    images: new Uint8Array(count * 16 * 16 * 3).map((_, i) => i % 251),
    labels: Array.from({ length: count }, (_, i) => i % 2),
    imageShape: [16, 16, 3],
    classes: ['cat', 'dog'],
  })
const data: DataSplits = { train: images('pets/train', 12), test: images('pets/test', 4) }
const model = createModel('resnet8', { input: [16, 16, 3], labels: ['cat', 'dog'] })
const settings = resolveSettings(model, 12, requestedSettings(request))
const made = { data, engine: referenceEngine(), model, settings }
const record = recordOf(request, made, undefined)

/** A folder whose run.json is that text. */
function folderWith(text: string): RunFolder {
  const folder = new RunFolder(temporaryFolder())
  writeFileSync(folder.file('run.json'), text)
  return folder
}

test('what is written is read', async () => {
  const folder = new RunFolder(temporaryFolder())
  await folder.writeRecord(finished(record))
  const read = folder.readRecord()
  expect(read).toMatchObject(record)
  expect(Date.parse(read.times.finished!)).toBeGreaterThanOrEqual(Date.parse(read.times.started))
})

test('it holds every number of the run, the data by fingerprint, versions and machine', () => {
  expect(record).toMatchObject({
    request: { ...request, data: resolve(request.data), engine: 'reference', threads: 1 },
    settings: {
      epochs: 2,
      batchSize: 4,
      seed: 3,
      labelSmoothing: 0.1,
      optimizer: { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
      schedule: { type: 'one-cycle', peak: 0.4 / 32 },
    },
    model: { preprocessing: { size: [16, 16, 3] } },
    data: {
      classes: ['cat', 'dog'],
      train: { name: 'pets/train', images: 12, fingerprint: data.train.fingerprint },
      test: { name: 'pets/test', images: 4, fingerprint: data.test.fingerprint },
    },
    software: { fovea: expect.stringMatching(/^\d+\.\d+/), node: process.versions.node },
    machine: { threads: 1, platform: process.platform },
  })
})

test('it does not tell whose machine it was', () => {
  const { request: _, command: __, data: ___, ...rest } = record
  const values: string[] = []
  JSON.stringify(rest, (_, value) => (typeof value === 'string' ? values.push(...value.split(/[^\w.-]+/)) : value))
  expect(values.length).toBeGreaterThan(10)
  expect(values).not.toContain(hostname())
  expect(values).not.toContain(userInfo().username)
})

test('a run that goes on keeps the time of its start and notes when it did', () => {
  const resumed = recordOf(request, made, record)
  expect(resumed.times.started).toBe(record.times.started)
  expect(recordOf(request, made, resumed).times.resumed.length).toBe(2)
})

describe('the command that repeats a run', () => {
  test('has each option that was given', () => {
    const all: RunRequest = {
      ...{ ...request, data: 'cifar10', recipe: 'paper', learningRate: 0.05, memory: 'low' },
      ...{ size: 64, limit: 100, skipBad: true },
    } as const
    expect(recordOf(all, made, undefined).command).toBe(
      'npx fovea train resnet8 --data cifar10 --epochs 2 --batch 4 --recipe paper --learning-rate 0.05 ' +
        '--precision float32 --engine reference --threads 1 --memory low --seed 3 --size 64 --limit 100 --skip-bad',
    )
  })

  test('has the SIMD of an engine in WebAssembly', () => {
    const engine = wasmEngine({ threads: 1, simd: 'plain' })
    expect(recordOf(request, { ...made, engine }, undefined).command).toContain(
      ' --engine wasm --threads 1 --simd plain --seed 3',
    )
  })

  test('quotes what a shell would take apart', () => {
    const { command } = recordOf({ ...request, data: "/my pets' photos" }, made, undefined)
    expect(command).toContain(`--data '/my pets'\\'' photos'`)
  })
})

describe('what cannot be read is said', () => {
  const damaged = (change: object) => JSON.stringify({ ...record, ...change })
  test.each([
    ['no run', undefined, "there is no run in '"],
    ['text cut short', JSON.stringify(record).slice(0, 300), "run.json' is not JSON"],
    [
      'an older layout',
      JSON.stringify(request),
      'an older version of Fovea wrote it, this one reads 1; start the run anew',
    ],
    ['a newer layout', damaged({ version: 2 }), 'its version is 2, this one reads 1'],
    ['a list', '[]', 'an older version of Fovea wrote it'],
    ['null', 'null', 'an older version of Fovea wrote it'],
    ['a request without epochs', damaged({ request: { ...request, epochs: 0 } }), "damaged at 'request.epochs'"],
    ['data without a fingerprint', damaged({ data: { ...record.data, train: {} } }), "damaged at 'data.train"],
  ])('%s', (_, text, message) => {
    const folder = text === undefined ? new RunFolder(join(temporaryFolder(), 'none')) : folderWith(text)
    expect(() => folder.readRecord()).toThrow(message)
  })

  test('and a damaged file is left as it is', () => {
    const folder = folderWith('{')
    expect(() => folder.readRecord()).toThrow('is not JSON')
    expect(readFileSync(folder.file('run.json'), 'utf8')).toBe('{')
  })
})
