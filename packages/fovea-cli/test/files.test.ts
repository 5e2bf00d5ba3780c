import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { diskError, writeFileAtomic } from '../src/files.js'

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

it('names the file and the remedy', async () => {
  writeFileSync(join(folder, 'file'), '')
  mkdirSync(join(folder, 'folder'))
  const inFile = join(folder, 'file', 'x')
  await expect(writeFileAtomic(inFile, '')).rejects.toThrow(`cannot write '${inFile}': a `)
  await expect(writeFileAtomic(join(folder, 'folder'), '')).rejects.toThrow('it is a folder, not a file')
  expect(readdirSync(folder).sort()).toEqual(['file', 'folder'])
  const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
  expect(String(diskError(full, '/x', 'write'))).toMatch(/^FoveaError: cannot write '\/x': the disk is full/)
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
