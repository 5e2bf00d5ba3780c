/** @file Claims about the folder of downloads and decoded images where it cannot be written, or where there is none. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { colorFolder, fovea, preload, temporaryFolder } from './run-fovea.js'

let photos: string
beforeAll(async () => {
  photos = await colorFolder({ train: 20, val: 20 })
})

const HINT = '(FOVEA_DATA names the folder of downloads and decoded images)'
/** Of a command that decodes the photos. */
const info = (env: Record<string, string>, cwd = temporaryFolder()) =>
  fovea(['data', 'info', photos], { env: { FOVEA_DATA: '', ...env }, cwd })

const mounted: string[] = []
afterEach(() => {
  for (const disk of mounted.splice(0)) execFileSync('umount', [disk])
})
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
const NO_MOUNT = 'a small disk cannot be mounted here: it takes root and tmpfs'

describe('a home folder that cannot be written', () => {
  const refusal = new RegExp(`^fovea: cannot write '[^\n]*': [^\n]*${HINT.replace(/[()]/g, '\\$&')}\n$`)

  test('because it is none: FOVEA_DATA is told of, by data sets that are downloaded too', async () => {
    const HOME = join(temporaryFolder(), 'file')
    writeFileSync(HOME, '')
    for (const args of [
      ['data', 'info', photos],
      ['data', 'download', 'cifar10'],
      ['train', 'cnn', '--data', photos, '--epochs', '1', '--out', join(temporaryFolder(), 'run')],
    ]) {
      const { code, stdout, stderr } = await fovea(args, { env: { HOME, FOVEA_DATA: '' } })
      expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(refusal) })
    }
  })

  test('because its disk is read-only, or full', async context => {
    const readOnly = mountDisk('ro')
    const full = mountDisk('size=64k')
    if (!readOnly || !full) return context.skip(NO_MOUNT)
    const refused = await info({ HOME: readOnly })
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(refusal) })
    expect(refused.stderr).toContain('the file system is read-only')
    const stopped = await info({ HOME: full })
    expect(stopped).toMatchObject({ code: 1, stderr: expect.stringMatching(refusal) })
    expect(stopped.stderr).toContain('the disk is full')
    expect((await info({ HOME: readOnly, FOVEA_DATA: temporaryFolder() })).code).toBe(0)
  })
})

describe('without a home folder', () => {
  const nobody = preload(`
    import os from 'node:os'
    import { syncBuiltinESMExports } from 'node:module'
    os.homedir = () => { throw new Error('no such user') }
    syncBuiltinESMExports()`)

  test.each([
    ['of a user without an entry', nobody],
    ['where HOME is empty', { HOME: '' }],
  ])('%s, FOVEA_DATA is asked for, and what needs no such folder works', async (_, env) => {
    const cwd = temporaryFolder()
    expect(await info(env, cwd)).toMatchObject({
      code: 1,
      stderr: 'fovea: there is no home folder to keep downloads and decoded images in; name another in FOVEA_DATA\n',
    })
    expect(readdirSync(cwd)).toEqual([])
    expect((await info({ ...env, FOVEA_DATA: join(cwd, 'cache') }, cwd)).code).toBe(0)
    expect(existsSync(join(cwd, 'cache'))).toBe(true)
    expect((await fovea(['data', 'info', 'fashion-mnist'], { env: { FOVEA_DATA: '', ...env }, cwd })).code).toBe(0)
  })
})
