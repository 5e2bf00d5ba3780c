/** @file Claims about files that are there already: no command replaces one, and it says so before it works for hours. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createModel } from 'fovea'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadModel, saveModel } from '../src/index.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

const folder = temporaryFolder()
const cache = join(folder, 'cache')
const [photos, whole] = ['photos', 'run'].map(name => join(folder, name))
const train = (out: string): string[] => ['train', 'cnn', ...settings, '--out', out]
const settings = ['--data', photos, '--epochs', '1', '--batch', '4', '--threads', '1']

beforeAll(async () => {
  await colorFolder({ train: 10, val: 2 }, photos)
  expect((await fovea(train(whole), { env: { FOVEA_DATA: cache } })).code).toBe(0)
})

/** Files by name, with their contents; what is no file has none. */
const contentsOf = (path: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(path, { withFileTypes: true }).map(entry => [
      entry.name,
      entry.isFile() ? readFileSync(join(path, entry.name), 'latin1') : '',
    ]),
  )

/** What a command says that must fail before an image is decoded, and change nothing in a folder. */
async function refused(args: readonly string[], path: string, cwd = folder): Promise<string> {
  const before = contentsOf(path)
  const env = { FOVEA_DATA: join(temporaryFolder(), 'cache') }
  const { code, stdout, stderr } = await fovea(args, { env, cwd })
  expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(/^fovea: [^\n]+\n$/) })
  expect(existsSync(env.FOVEA_DATA), 'images were decoded in vain').toBe(false)
  expect(contentsOf(path)).toEqual(before)
  return stderr
}

test('saveModel replaces no file unless it is told to', async () => {
  const path = join(temporaryFolder(), 'model.safetensors')
  const [first, second] = [0, 1].map(seed => createModel('resnet8', { seed }))
  await saveModel(path, first)
  const before = readFileSync(path)
  await expect(saveModel(path, second)).rejects.toThrow(
    `'${path}' exists already: choose another path, or give { overwrite: true } to replace it`,
  )
  expect(readFileSync(path).equals(before)).toBe(true)
  await saveModel(path, second, { overwrite: true })
  expect(loadModel(path).weights).toEqual(second.weights)
})

describe('train --out', () => {
  test.each([
    ...['run.json', 'metrics.jsonl', 'model.safetensors', 'last.safetensors', 'best.safetensors'],
    ...[
      'results.json',
      'report.png',
      'mistakes.svg',
      'calibration.png',
      'epoch-0001.safetensors',
      'trained-images.safetensors',
    ],
  ])('replaces no %s of other people', async name => {
    const out = temporaryFolder()
    writeFileSync(join(out, name), '{"mine": true}')
    expect(await refused(train(out), out)).toBe(
      `fovea: '${join(out, name)}' exists already: choose another --out, or remove it first\n`,
    )
  })

  test('replaces no lock of other people, no folder, and no link that leads nowhere', async () => {
    const out = temporaryFolder()
    writeFileSync(join(out, 'lock'), 'front door: 1234\n')
    expect(await refused(train(out), out)).toContain(`'${join(out, 'lock')}' is no lock of Fovea`)
    rmSync(join(out, 'lock'))
    mkdirSync(join(out, 'report.png'))
    symlinkSync('/nowhere', join(out, 'results.json'))
    const [results, report] = ['results.json', 'report.png'].map(name => `'${join(out, name)}'`)
    expect(await refused(train(out), out)).toContain(
      `${results}, ${report} exist already: choose another --out, or remove them first`,
    )
  })

  test('does not destroy what --from names', async () => {
    const out = temporaryFolder()
    copyFileSync(join(whole, 'model.safetensors'), join(out, 'model.safetensors'))
    const from = join(out, 'model.safetensors')
    expect(await refused(['train', '--from', from, ...settings, '--out', out], out)).toContain(
      `'${from}' exists already`,
    )
    expect(await refused(['train', '--from', whole, ...settings, '--out', whole], whole)).toContain('holds a run')
  })

  test('takes a folder with other files in it, and one in which a run began that saved nothing', async () => {
    const out = temporaryFolder()
    writeFileSync(join(out, 'notes.txt'), 'mine')
    for (const name of ['run.json', 'metrics.jsonl', 'best.safetensors', 'trained-images.safetensors'])
      copyFileSync(join(whole, name), join(out, name))
    writeFileSync(join(out, 'model.safetensors'), 'mine')
    expect(await refused(train(out), out)).toContain(`'${join(out, 'model.safetensors')}' exists already`)
    rmSync(join(out, 'model.safetensors'))
    expect((await fovea(train(out), { env: { FOVEA_DATA: cache } })).code).toBe(0)
    expect(readdirSync(out)).toEqual([...readdirSync(whole), 'notes.txt'].sort())
    expect(readFileSync(join(out, 'notes.txt'), 'utf8')).toBe('mine')
  })
})

test('eval --out replaces no results, its own of before and those of a run neither', async () => {
  const out = join(folder, 'eval')
  const evaluate = (to: string): string[] => ['eval', whole, '--data', photos, '--out', to]
  expect((await fovea(evaluate(out), { env: { FOVEA_DATA: cache } })).code).toBe(0)
  expect(await refused(evaluate(out), out)).toContain(`'${join(out, 'results.json')}'`)
  expect(await refused(evaluate(whole), whole)).toContain(`'${join(whole, 'results.json')}'`)
})

test('eval --out that cannot be written is refused before the work, find-rate --out and bench --trace too', async () => {
  const file = join(temporaryFolder(), 'file')
  writeFileSync(file, '')
  const out = join(file, 'out')
  const because = 'a part of the path is a file, not a folder\n'
  const evaluated = await refused(['eval', whole, '--data', photos, '--out', out], join(file, '..'))
  expect(evaluated).toBe(`fovea: cannot write '${join(out, 'results.json')}': ${because}`)
  const searched = ['find-rate', 'cnn', '--data', photos, '--batch', '4', '--out', `${out}.png`]
  expect(await refused(searched, join(file, '..'))).toContain(because)
  expect(await refused(['bench', 'resnet8', '--engine', 'onednn', '--trace', out], join(file, '..'))).toContain(because)
})

test('find-rate --out replaces no picture, and without --out finds a name that is free', async () => {
  const own = temporaryFolder()
  writeFileSync(join(own, 'rate.png'), 'mine')
  const search = ['find-rate', 'cnn', '--data', photos, '--batch', '4', '--steps', '50']
  expect(await refused([...search, '--out', join(own, 'rate.png')], own)).toContain('exists already')
  expect(await refused([...search, '--out', join(own, 'rate.svg')], own)).toContain(`'${join(own, 'rate.png')}' exists`)
  const named: string[] = []
  for (let i = 0; i < 2; i++) {
    const { json } = await fovea([...search, '--json'], { cwd: own, env: { FOVEA_DATA: cache } })
    named.push(json[0].picture.replace(/\.(png|svg)$/, ''))
  }
  expect(named).toEqual(['cnn-learning-rate', 'cnn-learning-rate-2'].map(name => join('runs', name)))
})

test('data pack replaces no file, whether it is named or not', async () => {
  const own = temporaryFolder()
  writeFileSync(join(own, 'photos.fovea-data'), 'mine')
  const advice = 'exists already: choose another --out, or remove it first'
  expect(await refused(['data', 'pack', photos], own, own)).toContain(`'photos.fovea-data' ${advice}`)
  const image = join(photos, 'train', 'red', '0.png')
  expect(await refused(['data', 'pack', photos, '--out', image], join(image, '..'))).toContain(`'${image}' ${advice}`)
})

test('bench --trace replaces no file', async () => {
  const own = temporaryFolder()
  writeFileSync(join(own, 'trace'), 'mine')
  const traced = await refused(['bench', 'resnet8', '--engine', 'onednn', '--trace', join(own, 'trace')], own)
  expect(traced).toContain(`'${join(own, 'trace')}' exists already: choose another --trace`)
})
