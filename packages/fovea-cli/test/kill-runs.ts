/** @file Runs that are killed at any moment, again and again, and what they come to in the end. */
import { createHash, randomInt } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs'
import { join } from 'node:path'
import { randomAt } from 'fovea/engine'
import { afterAll, beforeAll, expect } from 'vitest'
import { colorFolder, type Finished, fovea, temporaryFolder } from './run-fovea.js'

/** Decides the moments; a run that failed says it. */
const seed = Number(process.env['FOVEA_TEST_SEED'] ?? randomInt(2 ** 31))

let photos: string
beforeAll(async () => {
  // Enough held-out images that the evaluations take a good part of the run.
  photos = await colorFolder({ train: 10, val: 30 })
})

/** Random order, crops, mirroring, momentum, a learning rate that changes at every step, and a checkpoint after each. */
export const start = (model: string, out: string, { epochs = 3, limit = 30 } = {}): string[] => [
  ...['train', model, '--data', photos, '--limit', String(limit), '--epochs', String(epochs), '--batch', '6'],
  ...[
    '--recipe',
    'one-cycle',
    '--learning-rate',
    '0.02',
    '--save-seconds',
    '0',
    '--keep',
    '2',
    '--threads',
    '1',
    '--out',
    out,
    '--json',
  ],
]
/** Removed in the end: the state of a model of millions of weights fills a disk. */
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
export function runFolder(): string {
  const folder = temporaryFolder()
  folders.push(folder)
  return join(folder, 'run')
}

/** What a run has come to: the hash of its model and of all its state, its log but for times, and which files it has. */
export function resultOf(out: string) {
  const hash = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(out, name)))
      .digest('hex')
  const log = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n')
  const epochs = log.map(line => ({ ...JSON.parse(line), seconds: 0, imagesPerSecond: 0 }))
  return {
    checkpoints: readdirSync(out)
      .filter(name => name.endsWith('.safetensors'))
      .map(name => [name, hash(name)]),
    epochs,
    files: readdirSync(out).sort(),
  }
}

/** How far a run had come that was killed. */
function stageOf(out: string): string {
  const files = existsSync(out) ? readdirSync(out) : []
  const writing = files.find(name => /^(last|model|metrics|run|report).*\.tmp$/.test(name))
  if (writing) return `writing ${writing.split('.')[0]}`
  return ['model.safetensors', 'last.safetensors', 'run.json', 'lock'].find(name => files.includes(name)) ?? 'start'
}

/** Runs a command that trains in `out` and kills it after so long, or as soon as it writes something from then on. */
async function kill(args: string[], out: string, milliseconds: number, writing: boolean): Promise<Finished> {
  const stop = new AbortController()
  const finished = await fovea(args, {
    started: child => {
      const timer = setTimeout(() => {
        if (!writing || !existsSync(out)) return child.kill('SIGKILL')
        return watch(out, stop, () => child.kill('SIGKILL'))
      }, milliseconds)
      child.on('exit', () => clearTimeout(timer))
    },
  })
  stop.abort()
  return finished
}

/**
 * Kills a run so many times, at moments that the seed decides, and goes on with it each time.
 * @returns what was killed when; that each run ended with the bits of one that never stopped is expected here
 */
export async function killAndGoOn(
  model: string,
  kills: number,
  length: { epochs: number; limit: number },
): Promise<string> {
  const begin = performance.now()
  let firstEpochMs = 0
  const firstEpoch = () => {
    firstEpochMs = performance.now() - begin
  }
  const whole = runFolder()
  const unstopped = await fovea(start(model, whole, length), { when: { at: '"epoch":1', act: firstEpoch } })
  expect(unstopped.code).toBe(0)
  const wholeMs = performance.now() - begin
  const expected = resultOf(whole)

  const killed: string[] = []
  let out = runFolder()
  const toldOf = (stderr: string): string => `seed ${seed}, killed: ${killed.join(', ')}; ${stderr}`
  const finish = ({ code, stderr }: Finished): void => {
    expect(code, toldOf(stderr)).toBe(0)
    expect(resultOf(out), toldOf(stderr)).toEqual(expected)
    out = runFolder()
  }
  const startOrResume = (): string[] =>
    existsSync(join(out, 'run.json')) ? ['train', '--resume', out, '--json'] : start(model, out, length)

  // Follows a machine that has more or less to do than before.
  let pace = 1
  for (let life = 0; killed.length < kills; life++) {
    // One time in four at any moment, else rather not while it starts, which takes half of the time.
    const early = life % 4 === 0
    const earliest = early ? 0 : 0.7 * firstEpochMs
    const moment = pace * (earliest + randomAt(seed, life) * (wholeMs - earliest))
    const begun = performance.now()
    const finished = await kill(startOrResume(), out, moment, life % 3 === 0)
    if (finished.signal === 'SIGKILL') {
      const stage = stageOf(out)
      killed.push(`${stage} (${Math.round(moment)} ms)`)
      if (!early && (stage === 'start' || stage === 'lock')) pace *= 1.5
    } else {
      finish(finished)
      pace = Math.max(pace / 2, Math.min(pace, (performance.now() - begun) / wholeMs))
    }
  }
  finish(await fovea(startOrResume()))
  return toldOf('')
}
