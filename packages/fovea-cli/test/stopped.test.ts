/** @file Claims about the disk when something comes in between: what is left of work that was stopped. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCheckpoint } from '../src/checkpoint-file.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

describe('decoding a folder that is stopped', () => {
  let photos: string
  beforeAll(async () => {
    // Large enough that a signal comes in the middle.
    photos = temporaryFolder()
    const image = await sharp({ create: { width: 3000, height: 2000, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer()
    for (const name of ['a', 'b']) {
      mkdirSync(join(photos, name))
      for (let i = 0; i < 200; i++) writeFileSync(join(photos, name, `${i}.jpg`), image)
    }
  })

  const stopBy = (signal: NodeJS.Signals, cache: string) =>
    fovea(['data', 'info', photos, '--json'], {
      env: { FOVEA_DATA: cache },
      started: child => {
        const watch = setInterval(() => {
          if (!existsSync(cache) || !readdirSync(cache).some(name => name.includes(`.${child.pid}`))) return
          clearInterval(watch)
          child.kill(signal)
        }, 5)
        child.on('exit', () => clearInterval(watch))
      },
    })

  test('by Ctrl-C leaves nothing behind, not even what an earlier one left that was killed', async () => {
    const cache = join(temporaryFolder(), 'cache')
    expect((await stopBy('SIGKILL', cache)).code).toBe(null)
    expect(readdirSync(cache)).toEqual([expect.stringMatching(/\.tmp$/)])
    const { code, stderr, stdout } = await stopBy('SIGINT', cache)
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
    expect(stderr).toBe('fovea: interrupted\n')
    expect(readdirSync(cache)).toEqual([])
  })
})

describe('a disk that is full', () => {
  let disk: string | undefined
  beforeAll(() => {
    disk = mountDisk()
  })
  afterAll(() => {
    if (disk) execFileSync('umount', [disk])
  })

  test('keeps the older checkpoint and says how to go on, and after some room is made the run does', async context => {
    if (!disk) return context.skip('a small disk cannot be mounted here: it takes root and tmpfs')
    const out = join(disk, 'run')
    const photos = await colorFolder({ train: 8, test: 4 })
    const args = ['--data', photos, '--epochs', '3', '--batch', '8', '--json']
    const full = await fovea(['train', 'resnet8', ...args, '--out', out])
    expect(full.code).toBe(1)
    expect(full.stderr.split('\n').filter(line => line.startsWith('fovea:'))).toEqual([
      `fovea: cannot write '${join(out, 'last.safetensors')}': the disk is full; free some space or choose a folder on ` +
        `another disk; what was saved last is kept; go on with: npx fovea train --resume ${out}`,
    ])
    expect(readCheckpoint(out).training?.epoch).toBe(1)
    expect(readdirSync(out).filter(name => name === 'lock' || name.endsWith('.tmp'))).toEqual([])

    const filler = join(disk, 'filler')
    expect(() => writeFileSync(filler, new Uint8Array(2 ** 20))).toThrow('ENOSPC')
    expect(await fovea(['train', '--resume', out])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`cannot write '${join(out, 'lock')}': the disk is full`),
    })

    rmSync(filler)
    execFileSync('mount', ['-o', 'remount,size=16m', disk])
    const { code, json } = await fovea(['train', '--resume', out, '--json'])
    expect(code).toBe(0)
    expect(json.map(({ event, epoch }) => epoch ?? event)).toEqual([2, 3, 'done'])
  })
})

/** A disk with room for one checkpoint of resnet8 and not for two. */
function mountDisk(): string | undefined {
  const folder = temporaryFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', folder], { stdio: 'ignore' })
    return folder
  } catch {
    return undefined
  }
}
