/** @file Claims about disks that refuse: what was saved is kept, a line says what to do, and after that the run goes on. */
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { readCheckpoint } from '../src/checkpoint-file.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

let photos: string
let whole: string
const train = (out: string): string[] => [
  ...['train', 'resnet8', '--data', photos, '--epochs', '3', '--batch', '8', '--threads', '1', '--out', out, '--json'],
]
const model = (out: string): Buffer => readFileSync(join(out, 'model.safetensors'))

beforeAll(async () => {
  photos = await colorFolder({ train: 8, val: 4 })
  whole = join(temporaryFolder(), 'run')
  expect((await fovea(train(whole))).code).toBe(0)
})

const errorLines = (stderr: string): string[] => stderr.split('\n').filter(line => line.startsWith('fovea:'))
/** What no run may leave that ended by itself. */
const leftovers = (out: string): string[] => readdirSync(out).filter(name => /lock|tmp$/.test(name))

const mounted: string[] = []
afterEach(() => {
  for (const disk of mounted.splice(0)) execFileSync('umount', [disk])
})

/** A disk of its own; undefined where it takes a permission that these tests do not have. */
function mountDisk(options: string): string | undefined {
  const folder = temporaryFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', folder], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  mounted.push(folder)
  return folder
}
const remount = (disk: string, options: string): Buffer => execFileSync('mount', ['-o', `remount,${options}`, disk])
const NO_MOUNT = 'a small disk cannot be mounted here: it takes root and tmpfs'

describe('a disk that is full', () => {
  test('keeps the older checkpoint and says how to go on, and after some room is made the run does', async context => {
    // Room for one checkpoint, and not for two.
    const disk = mountDisk('size=1m')
    if (!disk) return context.skip(NO_MOUNT)
    const out = join(disk, 'run')
    const full = await fovea(train(out))
    expect(full.code).toBe(1)
    // An epoch's best comes first.
    expect(errorLines(full.stderr)).toEqual([
      `fovea: cannot write '${join(out, 'best.safetensors')}': the disk is full; free some space or choose a folder on ` +
        `another disk; what was saved last is kept; go on with: npx fovea train --resume ${out}`,
    ])
    expect(readCheckpoint(out).training?.epoch).toBe(1)
    expect(leftovers(out)).toEqual([])

    const filler = join(disk, 'filler')
    expect(() => writeFileSync(filler, new Uint8Array(2 ** 20))).toThrow('ENOSPC')
    expect(await fovea(['train', '--resume', out])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`cannot write '${join(out, 'lock')}': the disk is full`),
    })

    rmSync(filler)
    remount(disk, 'size=16m')
    const { code, json } = await fovea(['train', '--resume', out, '--json'])
    expect(code).toBe(0)
    expect(json.map(({ event, epoch }) => epoch ?? event)).toEqual(['data', 2, 3, 'done'])
    expect(model(out).equals(model(whole))).toBe(true)
  })

  test('after training, for the model itself, loses nothing either', async context => {
    const disk = mountDisk('size=1m')
    if (!disk) return context.skip(NO_MOUNT)
    const out = join(disk, 'run')
    mkdirSync(out)
    for (const name of ['run.json', 'last.safetensors', 'metrics.jsonl']) cpSync(join(whole, name), join(out, name))
    writeFileSync(join(disk, 'filler'), new Uint8Array(200_000))
    const full = await fovea(['train', '--resume', out])
    expect(full.code).toBe(1)
    expect(errorLines(full.stderr)).toEqual([
      expect.stringMatching(/^fovea: cannot write '.*model\.safetensors': the disk is full; .*; go on with: npx fovea/),
    ])
    expect(leftovers(out)).toEqual([])
    rmSync(join(disk, 'filler'))
    remount(disk, 'size=16m')
    expect((await fovea(['train', '--resume', out])).code).toBe(0)
    expect(model(out).equals(model(whole))).toBe(true)
  })
})

describe.skipIf(process.platform === 'win32')('a limit on the size of files', () => {
  // A checkpoint has 640 kB.
  const maxFileBytes = 300_000

  test('keeps the older checkpoint, and without the limit the run goes on with the same bits', async () => {
    const out = join(temporaryFolder(), 'run')
    const stopped = await fovea(train(out), { when: { at: '"epoch":1', act: child => child.kill('SIGINT') } })
    expect(stopped.code).toBe(130)
    const last = readFileSync(join(out, 'last.safetensors'))
    const limited = await fovea(['train', '--resume', out], { maxFileBytes })
    expect(limited.code).toBe(1)
    expect(errorLines(limited.stderr)).toEqual([
      `fovea: cannot write '${join(out, 'best.safetensors')}': the file is larger than the file system or your limits ` +
        '(ulimit -f) allow; raise them or choose another disk; what was saved last is kept; ' +
        `go on with: npx fovea train --resume ${out}`,
    ])
    expect(readFileSync(join(out, 'last.safetensors')).equals(last)).toBe(true)
    expect(leftovers(out)).toEqual([])
    expect((await fovea(['train', '--resume', out])).code).toBe(0)
    expect(model(out).equals(model(whole))).toBe(true)
  })

  test('that even the first checkpoint exceeds says how to begin again', async () => {
    const out = join(temporaryFolder(), 'run')
    const limited = await fovea(train(out), { maxFileBytes })
    expect(limited.code).toBe(1)
    expect(errorLines(limited.stderr)).toEqual([
      expect.stringContaining(`; nothing was saved yet; begin again with: npx fovea train --resume ${out}`),
    ])
    expect(readdirSync(out).sort()).toEqual(['metrics.jsonl', 'run.json', 'trained-images.safetensors'])
  })
})

describe('a folder that cannot be written is refused before any image is decoded', () => {
  const refused = async (args: string[]): Promise<string> => {
    const cache = join(temporaryFolder(), 'cache')
    const { code, stderr, stdout } = await fovea(args, { env: { FOVEA_DATA: cache } })
    expect({ code, stdout, cached: existsSync(cache) }).toEqual({ code: 1, stdout: '', cached: false })
    return stderr
  }

  test('under a file', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    const out = join(file, 'run')
    expect(await refused(train(out))).toMatch(`fovea: cannot write '${join(out, 'lock')}': a `)
  })

  test('on a disk that is read-only, for a new run and for one to go on with', async context => {
    const disk = mountDisk('size=16m')
    if (!disk) return context.skip(NO_MOUNT)
    const run = join(disk, 'run')
    cpSync(whole, run, { recursive: true })
    remount(disk, 'ro')
    const why = 'the file system is read-only; choose another folder\n'
    const out = join(disk, 'new')
    expect(await refused(train(out))).toBe(`fovea: cannot write '${join(out, 'lock')}': ${why}`)
    expect(await refused(['train', '--resume', run])).toBe(`fovea: cannot write '${join(run, 'lock')}': ${why}`)
  })

  test('without the permission', async context => {
    if (process.getuid?.() === 0) return context.skip('root may write everywhere')
    const folder = temporaryFolder()
    chmodSync(folder, 0o555)
    const out = join(folder, 'run')
    expect(await refused(train(out))).toBe(
      `fovea: cannot write '${join(out, 'lock')}': permission denied; choose a folder that you own, or change its permissions\n`,
    )
  })
})
