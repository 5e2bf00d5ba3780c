/** @file Claims about what is left of work that was stopped. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { fovea, temporaryFolder } from './run-fovea.js'

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
