/** @file Claims about how large an image may be, in pixels and in its file. */
import { truncateSync } from 'node:fs'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { decodeImage, imageSize } from '../../src/data/decode-image.js'
import { temporaryFolder } from './temporary-folder.js'

const temporary = temporaryFolder()

test('decodes photos of more than 100 megapixels', async () => {
  const [width, height] = [12_000, 9000]
  const path = temporary.path('large.jpg')
  const large = sharp({ create: { width, height, channels: 3, background: '#ff0000' }, limitInputPixels: false })
  await large.jpeg({ quality: 50 }).toFile(path)
  expect(await imageSize(path)).toEqual([height, width])
  const [r, g, b] = await decodeImage(path, [8, 8, 3])
  expect(r).toBeGreaterThan(250)
  expect(Math.max(g, b)).toBeLessThan(5)
})

test('decodes them where they are stored uncompressed as well', async () => {
  const [width, height, rowsPerStrip] = [12_000, 9000, 100]
  const [strips, stripBytes] = [height / rowsPerStrip, 3 * width * rowsPerStrip]
  const [SHORT, LONG] = [3, 4]
  const [offsetsAt, countsAt, stripsAt] = [256, 1024, 2048]
  const start = Buffer.alloc(stripsAt)
  start.write('II*\0\x08\0\0\0', 'latin1')
  const entries = [
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    [258, SHORT, 1, 8],
    [262, SHORT, 1, 2], // RGB.
    [273, LONG, strips, offsetsAt],
    [277, SHORT, 1, 3],
    [278, LONG, 1, rowsPerStrip],
    [279, LONG, strips, countsAt],
  ]
  start.writeUInt16LE(entries.length, 8)
  for (const [i, [tag, type, count, value]] of entries.entries()) {
    start.writeUInt16LE(tag, 10 + 12 * i)
    start.writeUInt16LE(type, 12 + 12 * i)
    start.writeUInt32LE(count, 14 + 12 * i)
    start.writeUInt32LE(value, 18 + 12 * i)
  }
  for (let i = 0; i < strips; i++) {
    start.writeUInt32LE(stripsAt + i * stripBytes, offsetsAt + 4 * i)
    start.writeUInt32LE(stripBytes, countsAt + 4 * i)
  }
  const path = temporary.write('large.tif', start)
  truncateSync(path, stripsAt + strips * stripBytes) // Black, and takes no room on the disk.
  expect(await imageSize(path)).toEqual([height, width])
  expect(new Set(await decodeImage(path, [8, 8, 3]))).toEqual(new Set([0]))
})

test('says of an AVIF that takes too much memory how large it may be, and in what format it is read', async () => {
  const avif = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
    .avif()
    .toBuffer()
  // The box that tells the size of the picture: 12,000 × 11,000 pixels.
  const at = avif.indexOf('ispe', 0, 'latin1') + 8
  avif.writeUInt32BE(12_000, at)
  avif.writeUInt32BE(11_000, at + 4)
  await expect(decodeImage(temporary.write('x.avif', avif), [8, 8, 3])).rejects.toThrow(
    /x\.avif' has 12000×11000 pixels, 132 megapixels; such an AVIF image may have 119: make it smaller or save it as JPEG$/,
  )
})
