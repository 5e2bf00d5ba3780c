/** @file Claims about accidents on the way: a clock that is set back, a worker that dies, one bad image among a thousand. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { colorFolder, fovea, preload, temporaryFolder } from './run-fovea.js'

let photos: string
let whole: string
const runFolder = (): string => join(temporaryFolder(), 'run')
const train = (out: string): string[] => [
  ...['train', 'resnet8', '--data', photos, '--epochs', '3', '--batch', '8', '--threads', '1', '--out', out, '--json'],
]
const model = (out: string): Buffer => readFileSync(join(out, 'model.safetensors'))

beforeAll(async () => {
  photos = await colorFolder({ train: 16, val: 4 })
  whole = runFolder()
  expect((await fovea(train(whole))).code).toBe(0)
})

test('a clock that goes backwards changes no bit, and no time is negative', async () => {
  const out = runFolder()
  const env = preload(`
    const { now } = Date
    let back = 0
    Date.now = () => now() - (back += 3_600_000)
    const Real = Date
    globalThis.Date = class extends Real {
      constructor(...at) { super(...(at.length > 0 ? at : [Real.now()])) }
    }`)
  const { code, stderr, json } = await fovea([...train(out), '--save-seconds', '1'], { env })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(model(out).equals(model(whole))).toBe(true)
  const log = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n')
  for (const { seconds, imagesPerSecond = 1 } of [...json.slice(1), ...log.map(line => JSON.parse(line))]) {
    expect(seconds).toBeGreaterThan(0)
    expect(imagesPerSecond).toBeGreaterThan(0)
  }
})

describe('a worker that dies', () => {
  /** The worker ends instead of giving each of these batches, counted from its start. */
  const endsAt = (...batches: number[]): Record<string, string> =>
    preload(`
      import { isMainThread, parentPort } from 'node:worker_threads'
      if (!isMainThread && parentPort) {
        const { postMessage } = parentPort
        let batch = 0
        parentPort.postMessage = (...reply) => {
          if ('count' in reply[0] && ${JSON.stringify(batches)}.includes(++batch)) process.exit(7)
          postMessage.apply(parentPort, reply)
        }
      }`)

  test('now and then costs a run nothing', async () => {
    const out = runFolder()
    const { code, stderr } = await fovea(train(out), { env: endsAt(5) })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(model(out).equals(model(whole))).toBe(true)
  })

  test('again and again ends the run, with what was saved and how to go on', async () => {
    const out = runFolder()
    const args = [...train(out), '--save-seconds', '0']
    const stopped = await fovea(args, { when: { at: '"epoch":1', act: child => child.kill('SIGINT') } })
    expect(stopped.code).toBe(130)
    const last = readFileSync(join(out, 'last.safetensors'))
    const { code, stderr } = await fovea(['train', '--resume', out], { env: endsAt(1) })
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^fovea: data set '.*': the worker that prepares its batches stopped \(exit code 7\); so did the one before it; what was saved last is kept; go on with: npx fovea train --resume [^\n]*\n$/,
    )
    expect(readFileSync(join(out, 'last.safetensors')).equals(last)).toBe(true)
    expect((await fovea(['train', '--resume', out])).code).toBe(0)
    expect(model(out).equals(model(whole))).toBe(true)
  })
})

test('one bad image among a thousand is named, and left out with --skip-bad', async () => {
  const folder = await colorFolder({ train: 1, val: 1 })
  const image = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer()
  for (let i = 0; i < 1000; i++) writeFileSync(join(folder, 'train', 'red', `${i}.jpg`), image)
  const bad = join(folder, 'train', 'red', '567.jpg')
  writeFileSync(bad, image.subarray(0, image.length - 20))
  const env = { FOVEA_DATA: temporaryFolder() }
  const args = ['train', 'resnet8', '--data', folder, '--size', '8', '--limit', '8', '--epochs', '1', '--batch', '4']
  const refused = await fovea([...args, '--out', runFolder()], { env })
  expect(refused.code).toBe(1)
  expect(refused.stderr).toMatch(
    /^fovea: 1 of 1006 images that cannot be read: '.*567\.jpg' cannot be decoded: [^\n]*\n$/,
  )
  expect(refused.stderr).toContain('--skip-bad')
  const skipped = await fovea([...args, '--skip-bad', '--out', runFolder()], { env })
  expect(skipped.code).toBe(0)
  expect(skipped.stderr).toMatch(/left out 1 of 1006 images that cannot be read: '.*567\.jpg'/)
})
