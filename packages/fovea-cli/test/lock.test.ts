/** @file Claims about the lock of a run folder. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lockFolder } from '../src/lock.js'

const folder = (): string => mkdtempSync(join(tmpdir(), 'fovea-lock-'))

test('a folder held by a living process is refused with its process id, and the file to delete if it is no run', () => {
  const path = folder()
  writeFileSync(join(path, 'lock'), String(process.ppid))
  expect(() => lockFolder(path)).toThrow(`in use by another run (process ${process.ppid})`)
  expect(() => lockFolder(path)).toThrow(`if that process is no run of Fovea, delete '${join(path, 'lock')}'`)
  expect(readdirSync(path)).toEqual(['lock'])
})

test('a lock left by a process that is gone, by half a write or before a restart of the system is taken over', () => {
  const sameNumberLater =
    process.platform === 'win32' ? [] : [`${process.ppid}@1-0123abcd`, `${process.pid}@1-0123abcd`]
  for (const left of [
    '999999999',
    '',
    '99999999',
    '999999999@12',
    '999999999@1-0123abcd.tmp',
    `${process.pid}-0123abcd`,
    ...sameNumberLater,
  ]) {
    const path = folder()
    writeFileSync(join(path, 'lock'), left)
    writeFileSync(join(path, 'lock.999999999-0123abcd.tmp'), left)
    const release = lockFolder(path)
    expect(readFileSync(join(path, 'lock'), 'utf8')).toMatch(new RegExp(`^${process.pid}\\b`))
    release()
    expect(readdirSync(path)).toEqual([])
  }
})

test('what is no lock of ours, a file or a folder of that name, is refused and stays as it is', () => {
  const path = folder()
  writeFileSync(join(path, 'lock'), 'my notes about locks')
  expect(() => lockFolder(path)).toThrow(`'${join(path, 'lock')}' is no lock of Fovea: choose another folder`)
  expect(readFileSync(join(path, 'lock'), 'utf8')).toBe('my notes about locks')
  rmSync(join(path, 'lock'))
  mkdirSync(join(path, 'lock'))
  expect(() => lockFolder(path)).toThrow(`cannot read '${join(path, 'lock')}': it is a folder, not a file`)
  expect(readdirSync(path)).toEqual(['lock'])
})

test.skipIf(process.platform === 'win32')('a folder is refused to the process that has it already', () => {
  const path = folder()
  const release = lockFolder(path)
  expect(() => lockFolder(path)).toThrow(`in use by another run (process ${process.pid})`)
  release()
  lockFolder(path)()
})

test('a takeover that was killed in the middle is taken over itself, and one under way is left alone', () => {
  const path = folder()
  const hash = createHash('sha256').update('999999999').digest('hex').slice(0, 16)
  const claim = (turn: number, content: string) => writeFileSync(join(path, `lock.${hash}-${turn}`), content)
  writeFileSync(join(path, 'lock'), '999999999')
  claim(0, '999999998-0123abcd')
  claim(1, String(process.ppid))
  expect(() => lockFolder(path)).toThrow(`in use by another run (process ${process.ppid})`)
  expect(readFileSync(join(path, 'lock'), 'utf8')).toBe('999999999')
  claim(1, '')
  const release = lockFolder(path)
  expect(readdirSync(path)).toEqual(['lock'])
  release()
  expect(readdirSync(path)).toEqual([])
})

test('a released folder can be taken again', () => {
  const path = folder()
  lockFolder(path)()
  lockFolder(path)()
})

test('only what is still its own lock does a run release', () => {
  const path = folder()
  const release = lockFolder(path)
  rmSync(join(path, 'lock'))
  writeFileSync(join(path, 'lock'), String(process.ppid))
  release()
  expect(existsSync(join(path, 'lock'))).toBe(true)
})

test('a folder that cannot be written says why', () => {
  const path = join(folder(), 'file')
  writeFileSync(path, '')
  expect(() => lockFolder(path)).toThrow(`cannot write '${join(path, 'lock')}': a `)
})

/** Processes run compiled code: this test needs the build (`npm run build`). */
const compiled = new URL('../dist/lock.js', import.meta.url)

test.runIf(existsSync(compiled))('of many processes that find the same abandoned lock, one gets it', async () => {
  const path = folder()
  // They all start at the same moment, say how it went, and hold the lock until they are told to end.
  const script = `
    import { lockFolder } from '${compiled}'
    process.stdin.once('data', at => {
      while (Date.now() < Number(at));
      try { lockFolder('${path}'); console.log('held') } catch (error) { console.log(error.message) }
    })
    console.log('ready')`
  for (let round = 0; round < 3; round++) {
    writeFileSync(join(path, 'lock'), '999999999')
    const children = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] }),
    )
    await Promise.all(children.map(child => once(child.stdout, 'data')))
    const start = Date.now() + 50
    const answers = children.map(child => once(child.stdout, 'data'))
    for (const child of children) child.stdin.write(String(start))
    const said = (await Promise.all(answers)).map(([text]) => String(text).trim())
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(children.map(child => once(child, 'exit')))
    expect(said.filter(text => text === 'held')).toHaveLength(1)
    for (const text of said) expect(text).toMatch(/^held$|in use by another run/)
  }
})
