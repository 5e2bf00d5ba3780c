/**
 * @file Claims about output that nobody can read any more: a command that leaves files goes on to its end, another one ends
 * with 1, and none prints a stack or leaves half of its work.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

const folder = temporaryFolder()
const env = { FOVEA_DATA: join(folder, 'cache') }
const [photos, whole, parity] = ['photos', 'run', 'parity.json'].map(name => join(folder, name))
const train = (out: string): string[] => [
  ...['train', 'cnn', '--data', photos, '--epochs', '3', '--batch', '4', '--threads', '1', '--out', out],
]
const runFolder = (): string => join(temporaryFolder(), 'run')
const model = (out: string): Buffer => readFileSync(join(out, 'model.safetensors'))
const image = join(photos, 'val', 'red', '0.png')

beforeAll(async () => {
  await colorFolder({ train: 10, val: 2 }, photos)
  const results = {
    model: 'resnet8',
    batch: 1,
    size: 32,
    classes: 2,
    parameters: 77_666,
    logits: [[1, 2]],
    float32: {},
  }
  writeFileSync(parity, JSON.stringify(results))
  expect((await fovea(train(whole), { env })).code).toBe(0)
})

const FULL = 'fovea: cannot write the output: the disk is full; free some space or choose a folder on another disk'

describe.each([
  ['for people', []],
  ['with --json', ['--json']],
])('a training, %s,', (_, more) => {
  const at = more.length > 0 ? '"epoch":1' : 'epoch 1/3'

  test('whose reader leaves goes on to its end and says so', async () => {
    const out = runFolder()
    const { code, stderr } = await fovea([...train(out), ...more], {
      env,
      when: { at, act: child => child.stdout?.destroy() },
    })
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'fovea: nobody reads the output any more; going on without it\n',
    })
    expect(model(out).equals(model(whole))).toBe(true)
    expect(readdirSync(out)).toEqual(readdirSync(whole))
  })

  test.runIf(existsSync('/dev/full'))('on a full disk goes on to its end, says so and ends with 1', async () => {
    const out = runFolder()
    const { code, stderr } = await fovea([...train(out), ...more], { env, stdoutTo: '/dev/full' })
    expect({ code, stderr }).toEqual({ code: 1, stderr: `${FULL}; going on without it\n` })
    expect(model(out).equals(model(whole))).toBe(true)
    expect(readdirSync(out)).toEqual(readdirSync(whole))
  })
})

test('a training that nobody hears at all goes on to its end', async () => {
  const out = runFolder()
  const { code } = await fovea(train(out), {
    env,
    when: {
      at: 'epoch 1/3',
      act: child => {
        child.stdout?.destroy()
        child.stderr?.destroy()
      },
    },
  })
  expect(code).toBe(0)
  expect(model(out).equals(model(whole))).toBe(true)
})

test.runIf(existsSync('/dev/full'))('warnings and errors that cannot be written change no exit code', async () => {
  const stderrTo = '/dev/full'
  const warned = ['eval', whole, '--data', photos, '--engine', 'onednn']
  expect((await fovea(warned, { env: { ...env, FOVEA_DATA: runFolder() }, stderrTo })).code).toBe(0)
  expect((await fovea(['summary', 'none'], { stderrTo })).code).toBe(2)
  expect((await fovea([], { stderrTo })).code).toBe(2)
  expect((await fovea(['eval', 'none', '--data', photos], { stderrTo, env: { FOVEA_DEBUG: '1' } })).code).toBe(1)
})

describe('a command whose output is its result', () => {
  test('ends quietly when its reader leaves, with 1', async () => {
    const images = Array.from({ length: 400 }, () => image)
    const predicted = await fovea(['predict', whole, ...images, '--json'], {
      when: { at: 'image', act: child => child.stdout?.destroy() },
    })
    expect(predicted).toMatchObject({ code: 1, stderr: '' })
  })

  const out = join(folder, 'photos.fovea-data')
  test
    .runIf(existsSync('/dev/full'))
    .each([
      ['--help'],
      ['train', '--help'],
      ['--version'],
      ['eval', whole, '--data', photos],
      ['predict', whole, image],
      ['summary', 'resnet8'],
      ['compare', 'resnet8', '--batch', '2', '--steps', '1'],
      ['bench', 'resnet8', '--mode', 'infer', '--batch', '1', '--steps', '1'],
      ['parity', parity],
      ['train', 'resnet8', '--explain'],
      ['data', 'info', photos],
    ])('says on a full disk that it cannot be written, and ends with 1: fovea %s %s', async (...words) => {
    const args = words.filter(word => word !== undefined)
    for (const more of args.at(-1)?.startsWith('--') ? [[]] : [[], ['--json']]) {
      const { code, stderr } = await fovea([...args, ...more], { env, cwd: folder, stdoutTo: '/dev/full' })
      expect({ code, stderr }).toEqual({ code: 1, stderr: `${FULL}\n` })
    }
  })

  test.runIf(existsSync('/dev/full'))('and files leaves the files', async () => {
    const places = ['eval', 'rate.png', 'trace.json', 'pruned', 'quantized', 'compressed', 'compared'].map(name =>
      join(folder, name),
    )
    for (const args of [
      ['eval', whole, '--data', photos, '--out', places[0]],
      ['find-rate', 'cnn', '--data', photos, '--batch', '4', '--steps', '50', '--out', places[1]],
      ['bench', 'resnet8', '--mode', 'infer', '--batch', '1', '--steps', '1', '--trace', places[2]],
      ['prune', whole, '--data', photos, '--amount', '0.3', '--out', places[3]],
      ['quantize', whole, '--data', photos, '--out', places[4]],
      ['compress', whole, '--data', photos, '--target', 'bytes=0.5x', '--out', places[5]],
      ['compare', whole, '--data', photos, '--steps', '1', '--batch', '4', '--out', places[6]],
      ['data', 'pack', photos, '--out', out],
    ]) {
      const { code, stderr } = await fovea(args, { env, cwd: folder, stdoutTo: '/dev/full' })
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`${FULL}; going on without it\n`) })
      const file = args.at(-1) as string
      // A picture is SVG where the machine has no fonts.
      expect(existsSync(file) || existsSync(file.replace(/png$/, 'svg'))).toBe(true)
    }
    expect(existsSync(join(places[0], 'results.json'))).toBe(true)
    for (const place of places.slice(3, 6)) expect(readdirSync(place)).toContain('account.json')
    expect(readdirSync(places[6]).sort()).toEqual(['comparison.html', 'comparison.json', 'comparison.md'])
    const setup = await fovea(['setup'], { env, stdoutTo: '/dev/full' })
    expect(setup).toMatchObject({ code: 1, stderr: expect.stringContaining(`${FULL}; going on without it\n`) })
  })
})

let disk: string | undefined
afterEach(() => {
  if (disk !== undefined) execFileSync('umount', [disk])
  disk = undefined
})

test('a disk that has room for a part of the output only is full', async context => {
  const small = temporaryFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'none', small], { stdio: 'ignore' })
  } catch {
    return context.skip('a small disk cannot be mounted here: it takes root and tmpfs')
  }
  disk = small
  const { code, stderr } = await fovea(['summary', 'resnet110', '--json'], { stdoutTo: join(small, 'summary.json') })
  expect({ code, stderr }).toEqual({ code: 1, stderr: `${FULL}\n` })
})
