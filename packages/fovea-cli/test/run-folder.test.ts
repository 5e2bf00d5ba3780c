/** @file Claims about what a run, or an evaluation, leaves in its folder. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { RunFolder } from '../src/run-folder.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

const out = join(temporaryFolder(), 'run')
let photos: string
let testAccuracy: number

beforeAll(async () => {
  photos = await colorFolder()
  const args = ['--data', photos, '--epochs', '2', '--batch', '12', '--seed', '1', '--out', out, '--json']
  const { code, json, stderr } = await fovea(['train', 'cnn', ...args])
  expect(code, stderr).toBe(0)
  testAccuracy = json.at(-1).testAccuracy
})

/** Where there are no fonts, pictures are written as SVG. */
const filesOf = (folder: string): string[] => readdirSync(folder).map(name => name.replace(/\.svg$/, '.png'))

describe('a run leaves', () => {
  test('the record, the log, the results, pictures and the checkpoints, and nothing else', () => {
    expect(filesOf(out)).toEqual([
      ...['best.safetensors', 'calibration.png', 'last.safetensors', 'metrics.jsonl', 'mistakes.png'],
      ...['model.safetensors', 'report.png', 'results.json', 'run.json', 'trained-images.safetensors'],
    ])
  })

  test('a line of the log for each epoch', () => {
    const lines = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n')
    expect(lines.map(line => JSON.parse(line).epoch)).toEqual([1, 2])
  })

  test('a record with its settings and the time when it was done', () => {
    const record = new RunFolder(out).readRecord()
    expect(record).toMatchObject({ request: { model: 'cnn', batch: 12, seed: 1 }, settings: { batchSize: 12 } })
    expect(record.times.finished).toBeDefined()
  })

  test('what was measured at the end, class by class', () => {
    const results = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'))
    expect(results.accuracy).toBe(testAccuracy)
    const classes = results.classes as { label: string; images: number }[]
    expect(classes.map(({ label, images }) => [label, images])).toEqual([
      ['blue', 8],
      ['green', 8],
      ['red', 8],
    ])
    expect(results.confusion.flat().reduce((a: number, b: number) => a + b)).toBe(24)
  })

  test('a command that repeats it to the bit', async () => {
    const again = join(temporaryFolder(), 'run')
    const { command } = new RunFolder(out).readRecord()
    const { code, stderr } = await fovea([...command.replace('npx fovea ', '').split(' '), '--out', again])
    expect(code, stderr).toBe(0)
    const weights = (folder: string) => readFileSync(join(folder, 'model.safetensors'))
    expect(weights(again).equals(weights(out))).toBe(true)
  })
})

test('eval lists precision and recall of each class, and with --out leaves results and pictures', async () => {
  const folder = join(temporaryFolder(), 'eval')
  const { code, stdout } = await fovea(['eval', out, '--data', photos, '--out', folder])
  expect(code).toBe(0)
  expect(stdout).toMatch(/class +images +precision +recall +F1 +most often taken for\n/)
  expect(stdout).toMatch(/\nblue +8 /)
  expect(filesOf(folder)).toEqual(['calibration.png', 'mistakes.png', 'results.json'])
})
