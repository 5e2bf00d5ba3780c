import { createHash } from 'node:crypto'
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { create } from 'tar'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cifar10 } from '../../src/data/cifar10.js'
import { writePacked } from '../../src/data/packed-file.js'
import { temporaryFolder } from './temporary-folder.js'

const temporary = temporaryFolder()

/** Image `i` of a file is flat: red i, green 2i, blue 3i; its label is i mod 10. */
const records = (count: number): Buffer =>
  Buffer.concat(
    Array.from({ length: count }, (_, i) =>
      Buffer.concat([Buffer.of(i % 10), ...[1, 2, 3].map(c => Buffer.alloc(1024, (c * i) % 256))]),
    ),
  )

async function archive(change: (files: Record<string, Buffer>) => void = () => {}): Promise<Buffer> {
  const files: Record<string, Buffer> = { 'test_batch.bin': records(12), 'batches.meta.txt': Buffer.from('airplane\n') }
  for (let i = 1; i <= 5; i++) files[`data_batch_${i}.bin`] = records(11)
  change(files)
  for (const [name, content] of Object.entries(files)) temporary.write(`source/cifar-10-batches-bin/${name}`, content)
  const file = temporary.path('archive.tar.gz')
  await create({ file, gzip: true, cwd: temporary.path('source') }, ['cifar-10-batches-bin'])
  return readFileSync(file)
}

/** What the server does with its next request: a test sets it. */
let answer: (request: IncomingMessage, response: ServerResponse) => void
let server: Server
let ranges: (string | undefined)[] = []
beforeEach(async () => {
  ranges = []
  server = createServer((request, response) => {
    ranges.push(request.headers.range)
    answer(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const options = (bytes: Buffer, more = {}) => ({
  cache: temporary.path('cache'),
  archive: {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/cifar-10-binary.tar.gz`,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
  },
  onProgress: () => cut(),
  ...more,
})

/** Breaks the connection that `serve` left in the middle; done when what it sent has arrived, or it might be lost. */
let cut = (): void => {}
const serve =
  (bytes: Buffer, stopAfter = Number.POSITIVE_INFINITY) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': bytes.length - from,
      ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
    })
    if (bytes.length - from <= stopAfter) return void response.end(bytes.subarray(from))
    cut = () => void response.destroy()
    response.write(bytes.subarray(from, from + stopAfter))
  }

describe('cifar10', () => {
  it('downloads with progress, unpacks planes into pixels, and needs no server the second time', async () => {
    const bytes = await archive()
    answer = serve(bytes)
    const seen: number[] = []
    const given = options(bytes, { onProgress: (p: { done: number }) => seen.push(p.done) })
    const { train, test } = await cifar10(given)
    expect([train.length, test.length]).toEqual([55, 12])
    expect(train.imageShape).toEqual([32, 32, 3])
    expect(seen.at(-1)).toBe(bytes.length)
    const pixels = new Uint8Array(3072)
    train.read([11 + 7], pixels)
    expect(train.labels[18]).toBe(7)
    expect([...pixels.subarray(0, 6)]).toEqual([7, 14, 21, 7, 14, 21])
    server.close()
    expect((await cifar10(given)).test.fingerprint).toBe(test.fingerprint)
    expect(ranges).toEqual([undefined])
  })

  it('resumes where the connection broke, within a call and from one call to the next', async () => {
    const bytes = await archive()
    answer = serve(bytes, 100)
    await expect(cifar10(options(bytes))).rejects.toThrow(/bytes that came are kept: the same command goes on/)
    const part = `${temporary.path('cache')}/cifar-10-binary.tar.gz.part`
    const kept = readFileSync(part).length
    expect(kept).toBe(300)
    expect(ranges).toEqual([undefined, 'bytes=100-', 'bytes=200-'])
    answer = serve(bytes)
    expect((await cifar10(options(bytes))).train.length).toBe(55)
    expect(ranges.at(-1)).toBe(`bytes=${kept}-`)
    expect(existsSync(part)).toBe(false)
  })

  it('stops when it is told to, and keeps what came for the next time', async () => {
    const bytes = await archive()
    answer = serve(bytes, 100)
    const controller = new AbortController()
    const onProgress = () => controller.abort(new Error('enough'))
    await expect(cifar10(options(bytes, { signal: controller.signal, onProgress }))).rejects.toThrow('enough')
    expect(ranges).toEqual([undefined])
    expect(readFileSync(temporary.path('cache/cifar-10-binary.tar.gz.part')).length).toBe(100)
  })

  it('starts over where the server cannot resume', async () => {
    const bytes = await archive()
    temporary.write('cache/cifar-10-binary.tar.gz.part', bytes.subarray(0, 50))
    answer = (_, response) => void response.end(bytes)
    expect((await cifar10(options(bytes))).train.length).toBe(55)
  })

  it('deletes what has the wrong hash, and stops at more bytes than announced', async () => {
    const bytes = await archive()
    const wrong = Buffer.from(bytes)
    wrong[wrong.length - 1] ^= 1
    answer = serve(wrong)
    await expect(cifar10(options(bytes))).rejects.toThrow(/SHA-256 is [0-9a-f]{64}, expected .*try again/)
    expect(existsSync(temporary.path('cache/cifar-10-binary.tar.gz.part'))).toBe(false)
    answer = (_, response) => void response.end(Buffer.concat([bytes, bytes]))
    await expect(cifar10(options(bytes))).rejects.toThrow(`longer than the ${bytes.length} bytes`)
  })

  it('says without a connection which file to put where, and uses it', async () => {
    const bytes = await archive()
    answer = (_, response) => response.writeHead(503).end()
    const path = temporary.path('cache', 'cifar-10-binary.tar.gz')
    await expect(cifar10(options(bytes))).rejects.toThrow('the server answered 503')
    const given = options(bytes)
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
    await expect(cifar10(given)).rejects.toThrow(
      new RegExp(`cannot download http://127.0.0.1.*ECONNREFUSED.*by other means and put it at '${path}'`),
    )
    writeFileSync(path, 'something else')
    await expect(cifar10(given)).rejects.toThrow(/put there, is not http.*Delete it/)
    writeFileSync(path, bytes)
    expect((await cifar10(given)).train.length).toBe(55)
  })

  it('gives up on a server that falls silent', async () => {
    const { download } = await import('../../src/data/download.js')
    answer = (_, response) => void response.write('x')
    const { archive: file } = options(Buffer.alloc(10))
    await expect(download(temporary.path('file'), file, { stallMs: 50 })).rejects.toThrow('nothing came for 0.05 s')
  })

  it.each([
    ['lacks a file', (files: Record<string, Buffer>) => delete files['data_batch_3.bin'], /lacks .*data_batch_3.bin/],
    [
      'has broken records',
      (files: Record<string, Buffer>) => (files['test_batch.bin'] = Buffer.alloc(3074)),
      /'cifar-10-batches-bin\/test_batch.bin' has 3074 bytes, not records of 3073/,
    ],
    [
      'has a label that is no class',
      (files: Record<string, Buffer>) => (files['test_batch.bin'] = Buffer.alloc(3073, 10)),
      /image 0 has label 10/,
    ],
  ])('refuses an archive that %s', async (_, change, message) => {
    const bytes = await archive(change)
    answer = serve(bytes)
    await expect(cifar10(options(bytes))).rejects.toThrow(message)
  })

  it('replaces no packed file of other images that has its name', async () => {
    const packed = temporary.path('cache', 'cifar10.fovea-data')
    const images = (['train', 'test'] as const).map(split => ({ split, label: 0, pixels: new Uint8Array(3) }))
    await writePacked(packed, { name: 'cifar10', imageShape: [1, 1, 3], classes: ['a'], source: 'mine' }, images)
    const before = readFileSync(packed)
    await expect(cifar10(options(await archive()))).rejects.toThrow(`'${packed}' holds other images than CIFAR-10's`)
    expect(readFileSync(packed).equals(before)).toBe(true)
  })

  it('unpacks again when the packed file is damaged', async () => {
    const bytes = await archive()
    answer = serve(bytes)
    await cifar10(options(bytes))
    const packed = temporary.path('cache', 'cifar10.fovea-data')
    truncateSync(packed, 5000)
    const notices: string[] = []
    const { train } = await cifar10(options(bytes, { onNotice: (m: string) => notices.push(m) }))
    expect(train.length).toBe(55)
    expect(notices.join()).toContain('cut short')
  })
})
