/** @file Claims about runs that are killed: whatever the moment, going on ends with the bits of a run that never stopped. */
import { createHash, randomInt } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomAt } from 'fovea'
import { onednnStatus } from 'fovea-onednn'
import { beforeAll, describe, expect, test } from 'vitest'
import { colorFolder, type Finished, fovea, temporaryFolder } from './run-fovea.js'

/** Decides the moments; a run that failed says it. */
const seed = Number(process.env['FOVEA_TEST_SEED'] ?? randomInt(2 ** 31))

let photos: string
beforeAll(async () => {
  // Enough held-out images that the evaluations take a good part of the run.
  photos = await colorFolder({ train: 10, test: 30 })
})

/** Random order, crops, mirroring, momentum, a learning rate that changes at every step, and a checkpoint after each. */
const start = (model: string, out: string): string[] => [
  ...['train', model, '--data', photos, '--epochs', '3', '--batch', '6', '--recipe', 'one-cycle'],
  ...['--learning-rate', '0.02', '--save-seconds', '0', '--out', out, '--json'],
]
const runFolder = (): string => join(temporaryFolder(), 'run')

/** What a run has come to: the hash of its model and of all its state, its log but for times, and which files it has. */
function resultOf(out: string) {
  const hash = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(out, name)))
      .digest('hex')
  const log = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n')
  const epochs = log.map(line => ({ ...JSON.parse(line), seconds: 0, imagesPerSecond: 0 }))
  return {
    model: hash('model.safetensors'),
    state: hash('last.safetensors'),
    epochs,
    files: readdirSync(out).sort(),
  }
}

/** What a user types who finds the folder so. */
const startOrResume = (model: string, out: string): string[] =>
  existsSync(join(out, 'run.json')) ? ['train', '--resume', out, '--json'] : start(model, out)

/** How far a run had come that was killed. */
function stageOf(out: string): string {
  const files = existsSync(out) ? readdirSync(out) : []
  const writing = files.find(name => /^(last|model|metrics|run|report).*\.tmp$/.test(name))
  if (writing) return `writing ${writing.split('.')[0]}`
  return ['model.safetensors', 'last.safetensors', 'run.json', 'lock'].find(name => files.includes(name)) ?? 'start'
}

/** Starts or goes on with a run, and kills it after so long, or then as soon as it begins to write something. */
async function kill(model: string, out: string, milliseconds: number, writing: boolean): Promise<Finished> {
  const stop = new AbortController()
  const finished = await fovea(startOrResume(model, out), {
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

describe.each([
  { model: 'resnet8', kills: 16 },
  // Dropout and stochastic depth.
  { model: 'efficientnet-b0', kills: 4 },
])('$model', ({ model, kills }) => {
  const possible = model === 'resnet8' || onednnStatus().available

  test.runIf(possible)(`killed ${kills} times ends with the bits of a run that never stopped`, async ({ annotate }) => {
    const before = performance.now()
    const whole = runFolder()
    expect(await fovea(start(model, whole))).toMatchObject({ code: 0, stderr: expect.not.stringContaining('fovea:') })
    const wholeMs = performance.now() - before
    const expected = resultOf(whole)

    const killed: string[] = []
    let out = runFolder()
    for (let life = 0; killed.length < kills; life++) {
      const moment = randomAt(seed, life) * wholeMs
      const { code, signal, stderr } = await kill(model, out, moment, killed.length % 3 === 2)
      const told = `seed ${seed}, killed: ${killed.join(', ')}; ${stderr}`
      if (signal === 'SIGKILL') {
        killed.push(`${stageOf(out)} (${Math.round(moment)} ms)`)
        continue
      }
      expect(code, told).toBe(0)
      expect(resultOf(out), told).toEqual(expected)
      out = runFolder()
    }
    const told = `seed ${seed}, killed: ${killed.join(', ')}`
    expect((await fovea(startOrResume(model, out))).code, told).toBe(0)
    expect(resultOf(out), told).toEqual(expected)
    await annotate(told)
  })
})

describe('a run that was killed before it saved anything', () => {
  test('is started again where it had not begun, and --resume says so', async () => {
    const out = runFolder()
    mkdirSync(out)
    writeFileSync(join(out, 'lock'), '999999999')
    expect(await fovea(['train', '--resume', out])).toMatchObject({
      code: 1,
      stderr: `fovea: there is no run in '${out}' to go on with; start it: fovea train MODEL --data … --epochs … --out ${out}\n`,
    })
    expect((await fovea(start('cnn', out))).code).toBe(0)
  })

  test('begins again with --resume, with the same bits', async () => {
    const [whole, out] = [runFolder(), runFolder()]
    await fovea(start('cnn', whole))
    mkdirSync(out)
    writeFileSync(join(out, 'lock'), '999999999')
    copyFileSync(join(whole, 'run.json'), join(out, 'run.json'))
    expect(await fovea(['train', '--resume', out])).toMatchObject({
      code: 0,
      stderr: `'${out}' has no checkpoint yet: the run begins again\n`,
    })
    expect(resultOf(out)).toEqual(resultOf(whole))
  })
})
