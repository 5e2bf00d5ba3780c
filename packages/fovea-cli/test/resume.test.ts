/** @file Claims about runs that are stopped: what is saved, and that going on equals never having stopped, bit for bit. */
import type { ChildProcess } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onednnStatus } from 'fovea-onednn'
import { beforeAll, describe, expect, test } from 'vitest'
import { hasRelaxedSimd } from '../../fovea-wasm/src/module.js'
import { colorFolder, fovea, preload, temporaryFolder } from './run-fovea.js'

let photos: string
const runFolder = (): string => join(temporaryFolder(), 'run')
const train = (out: string, ...more: string[]): string[] => [
  ...['train', 'resnet8', '--data', photos, '--epochs', '4', '--batch', '8', '--seed', '3', '--out', out, '--json'],
  ...more,
]

/** The tensors of a run's final state, as bytes. */
const finalState = (out: string): Buffer => readFileSync(join(out, 'last.safetensors'))

let whole: string

beforeAll(async () => {
  photos = await colorFolder({ train: 32, val: 8 })
  whole = runFolder()
  expect((await fovea(train(whole))).code).toBe(0)
})

test('the same seed gives the same bits', async () => {
  const again = runFolder()
  await fovea(train(again))
  expect(finalState(again).equals(finalState(whole))).toBe(true)
})

test('a run killed in the middle and resumed ends with the bits of one that was not', async () => {
  const out = runFolder()
  const killed = await fovea(train(out), { when: { at: '"epoch":2', act: child => child.kill('SIGKILL') } })
  expect(killed.code).toBe(null)
  const resumed = await fovea(['train', '--resume', out, '--json'])
  expect(resumed.stderr).toBe('')
  expect(resumed.json.at(-1)).toMatchObject({ event: 'done' })
  expect(finalState(out).equals(finalState(whole))).toBe(true)
  const epochs = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n')
  expect(epochs.map(line => JSON.parse(line).epoch)).toEqual([1, 2, 3, 4])
})

test.each([
  ['Ctrl-C', 'SIGINT'],
  ['a connection that drops', 'SIGHUP'],
] as const)('%s saves in the middle of an epoch, says how to go on, and going on loses nothing', async (_, signal) => {
  const out = runFolder()
  const stopped = await fovea(train(out), { when: { at: '"epoch":1', act: child => child.kill(signal) } })
  expect(stopped.code).toBe(130)
  expect(stopped.stderr).toContain(`fovea train --resume ${out}`)
  const resumed = await fovea(['train', '--resume', out, '--json'])
  expect(resumed.code).toBe(0)
  expect(finalState(out).equals(finalState(whole))).toBe(true)
})

test.skipIf(!onednnStatus().available)(
  'a second Ctrl-C ends the process at once, in the middle of a step',
  async () => {
    const args = ['--limit', '1000', '--batch', '500', '--epochs', '3', '--out', runFolder(), '--json']
    const { signal, stderr } = await fovea(['train', 'resnet20', '--data', 'fashion-mnist', ...args], {
      when: {
        at: '"epoch":1',
        act: child => {
          child.kill('SIGINT')
          child.stderr?.once('data', () => child.kill('SIGINT'))
        },
      },
    })
    expect(stderr).toContain('finishing the step')
    expect(signal).toBe('SIGINT')
  },
)

test('a folder with a run in it is not overwritten, and resuming with other settings is refused', async () => {
  const again = await fovea(train(whole))
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('--resume') })
  const other = await fovea(['train', 'resnet20', '--resume', whole])
  expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('resnet8') })
})

test('a resume with other images, training or held-out ones, is refused and changes nothing', async () => {
  const before = readFileSync(join(whole, 'run.json'), 'utf8')
  for (const [images, what] of [
    [{ train: 40, val: 8 }, 'training'],
    [{ train: 32, val: 9 }, 'held-out'],
  ] as const) {
    const refused = await fovea(['train', '--resume', whole, '--data', await colorFolder(images)])
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(`the ${what} images are not those`) })
  }
  expect(readFileSync(join(whole, 'run.json'), 'utf8')).toBe(before)
  expect((await fovea(['train', '--resume', whole, '--json'])).code).toBe(0)
})

test('a new run that is refused leaves no folder', async () => {
  const out = runFolder()
  const refused = await fovea(['train', 'resnet8', '--data', photos, '--epochs', '1', '--batch', '1000', '--out', out])
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--batch: a batch of') })
  expect(existsSync(out)).toBe(false)
})

test('the checkpoint of another model is refused', async () => {
  const out = runFolder()
  await fovea(['train', 'cnn', '--data', photos, '--epochs', '1', '--batch', '8', '--out', out])
  copyFileSync(join(whole, 'last.safetensors'), join(out, 'last.safetensors'))
  const refused = await fovea(['train', '--resume', out])
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`holds a resnet8, the run in '${out}' trains cnn`),
  })
})

test('other threads than the run began with are announced', async () => {
  const resumed = await fovea(['train', '--resume', whole, '--threads', '1'])
  expect(resumed).toMatchObject({ code: 0, stderr: expect.stringContaining('the run began on') })
})

describe('a run in WebAssembly', () => {
  /** Node 20 has relaxed SIMD behind a flag of V8, later versions have it always. */
  const relaxed = hasRelaxedSimd()
    ? {}
    : preload(`import { setFlagsFromString } from 'node:v8'
      setFlagsFromString('--experimental-wasm-relaxed-simd')`)
  const wasm = (out: string, simd: string): string[] => train(out, '--engine', 'wasm', '--threads', '1', '--simd', simd)
  const began = (simd: string): string => `the run began on wasm (${simd} SIMD) with 1 thread:`
  const [plainRun, relaxedRun] = [runFolder(), runFolder()]

  beforeAll(async () => {
    expect((await fovea(wasm(plainRun, 'plain'))).code).toBe(0)
    expect((await fovea(wasm(relaxedRun, 'relaxed'), { env: relaxed })).code).toBe(0)
  })

  test('goes on with the SIMD that it began with, where there is another too', async () => {
    const out = runFolder()
    await fovea(wasm(out, 'plain'), { when: { at: '"epoch":2', act: child => child.kill('SIGKILL') } })
    const resumed = await fovea(['train', '--resume', out, '--json'], { env: relaxed })
    expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: '' })
    expect(finalState(out).equals(finalState(plainRun))).toBe(true)
  })

  test('announces another SIMD, and another engine, which has none', async () => {
    const other = await fovea(['train', '--resume', plainRun, '--simd', 'relaxed'], { env: relaxed })
    expect(other).toMatchObject({ code: 0, stderr: expect.stringContaining(began('plain')) })
    const reference = await fovea(['train', '--resume', plainRun, '--engine', 'reference'])
    expect(reference).toMatchObject({ code: 0, stderr: expect.stringContaining(began('relaxed')) })
  })

  test.skipIf(hasRelaxedSimd())('where its SIMD is not, it is refused, and goes on with the other', async () => {
    const { request } = JSON.parse(readFileSync(join(relaxedRun, 'run.json'), 'utf8'))
    expect(request).toMatchObject({ engine: 'wasm', threads: 1, simd: 'relaxed' })
    const refused = await fovea(['train', '--resume', relaxedRun])
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('no relaxed SIMD here') })
    const resumed = await fovea(['train', '--resume', relaxedRun, '--simd', 'plain'])
    expect(resumed).toMatchObject({ code: 0, stderr: expect.stringContaining(began('relaxed')) })
  })
})

test('a second run in the same folder is refused while the first runs', async () => {
  const out = runFolder()
  let second: ReturnType<typeof fovea> | undefined
  const first = await fovea(train(out), {
    when: {
      at: '"epoch":1',
      act: child => {
        // The first stands still meanwhile, or it might be done before the second has started.
        child.kill('SIGSTOP')
        second = fovea(['train', '--resume', out]).finally(() => child.kill('SIGCONT'))
      },
    },
  })
  expect(first.code).toBe(0)
  expect(await second).toMatchObject({ code: 1, stderr: expect.stringContaining('in use by another run') })
})

test('of two runs that start in the same folder at the same moment, one trains', async () => {
  const out = runFolder()
  const trainers: ChildProcess[] = []
  let both: ReturnType<typeof fovea>[] = []
  // Either one has begun to train and the other has ended, or, which must not be, both train.
  await new Promise<void>(resolve => {
    let known = 0
    const know = () => ++known === 2 && resolve()
    const act = (child: ChildProcess) => {
      trainers.push(child)
      know()
    }
    both = [0, 1].map(() => fovea(train(out, '--epochs', '1000'), { when: { at: '"epoch":1', act } }))
    for (const run of both) run.then(know)
  })
  for (const child of trainers) child.kill('SIGINT')
  const [refused, stopped] = (await Promise.all(both)).sort((a, b) => Number(a.code) - Number(b.code))
  // One that starts late on a slow machine may find a checkpoint already.
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/in use by another run|holds a run/) })
  expect(stopped.code).toBe(130)
})
