import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { diskError, readWhole, writeFileAtomic } from '../src/files.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fovea-files-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('writes bytes, text and chunks, making the folder', async () => {
  const path = join(folder, 'new', 'file')
  await writeFileAtomic(path, 'text')
  expect(readFileSync(path, 'utf8')).toBe('text')
  await writeFileAtomic(path, Uint8Array.of(1, 2))
  expect([...readFileSync(path)]).toEqual([1, 2])
  await writeFileAtomic(path, [Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3)])
  expect([...readFileSync(path)]).toEqual([1, 2, 3])
  expect(readdirSync(join(folder, 'new'))).toEqual(['file'])
})

it('keeps the old file and leaves nothing behind when the content fails half-way', async () => {
  const path = join(folder, 'file')
  writeFileSync(path, 'old')
  async function* failing() {
    yield Uint8Array.of(1)
    throw new Error('half-way')
  }
  await expect(writeFileAtomic(path, failing())).rejects.toThrow('half-way')
  expect(readFileSync(path, 'utf8')).toBe('old')
  expect(readdirSync(folder)).toEqual(['file'])
})

it('removes what a process that is gone left of the same file, and nothing else', async () => {
  const gone = spawnSync(process.execPath, ['-e', '']).pid
  const kept = [
    `file.${process.ppid}-0123abcd.tmp`,
    `file.${process.pid}-0123abcd.tmp`,
    `file2.${gone}-0123abcd.tmp`,
    `file.${gone}-notes.tmp`,
  ]
  for (const name of [...kept, `file.${gone}-0123abcd.tmp`]) writeFileSync(join(folder, name), 'half')
  await writeFileAtomic(join(folder, 'file'), 'whole')
  expect(readdirSync(folder).sort()).toEqual([...kept, 'file'].sort())
})

it('names the file and the remedy', async () => {
  writeFileSync(join(folder, 'file'), '')
  mkdirSync(join(folder, 'folder'))
  const inFile = join(folder, 'file', 'x')
  await expect(writeFileAtomic(inFile, '')).rejects.toThrow(`cannot write '${inFile}': a `)
  await expect(writeFileAtomic(join(folder, 'folder'), '')).rejects.toThrow('it is a folder, not a file')
  expect(readdirSync(folder).sort()).toEqual(['file', 'folder'])
  const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
  expect(String(diskError(full, '/x', 'write'))).toMatch(/^DiskError: cannot write '\/x': the disk is full/)
  const other = new Error('other')
  expect(diskError(other, '/x', 'write')).toBe(other)
})

it.runIf(process.platform === 'linux')('reports a full disk', async () => {
  const { open } = await import('node:fs/promises')
  const full = await open('/dev/full', 'w')
  const error = await full.write(Buffer.from('x')).catch((e: unknown) => e)
  await full.close()
  expect(String(diskError(error, '/x', 'write'))).toContain('the disk is full')
})

it('reads a whole file, in pieces, and refuses what is none or too large before taking memory', () => {
  const path = join(folder, 'file')
  const bytes = Buffer.from(Uint8Array.from({ length: 1000 }, (_, i) => i))
  writeFileSync(path, bytes)
  expect(readWhole(path, { what: 'a file', maxBytes: 1000 }).equals(bytes)).toBe(true)
  expect(readWhole(path, { what: 'a file', maxBytes: 1000 }, 7).equals(bytes)).toBe(true)
  const read = (what: string) => () => readWhole(join(folder, what), { what: 'a picture', maxBytes: 2 ** 20 })
  truncateSync(path, 2 ** 40)
  expect(read('file')).toThrow(`'${path}' has 1.00 TiB; a picture may have 1.00 MiB at most`)
  expect(read('none')).toThrow(`cannot read '${join(folder, 'none')}': there is no such file`)
  expect(read('.')).toThrow('it is a folder, not a file')
})

it.runIf(process.platform === 'linux')('does not read devices and pipes, which have no end', () => {
  const pipe = join(folder, 'pipe')
  spawnSync('mkfifo', [pipe])
  for (const path of ['/dev/zero', pipe]) {
    expect(() => readWhole(path, { what: 'a picture', maxBytes: 2 ** 20 })).toThrow(
      `cannot read '${path}': it is a device or a pipe, not a file`,
    )
  }
})
