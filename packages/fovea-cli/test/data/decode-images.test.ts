import { writeFileSync } from 'node:fs'
import { FoveaError } from 'fovea'
import sharp from 'sharp'
import { expect, it } from 'vitest'
import { decodeImages } from '../../src/data/decode-images.js'
import { temporaryFolder } from './temporary-folder.js'

const temporary = temporaryFolder()

it('decodes what can be, and says of each other file what is wrong with it, not with its neighbours', async () => {
  const noise = Uint8Array.from({ length: 256 * 256 * 3 }, (_, i) => Math.imul(i, 2654435761) >>> 24)
  const image = sharp(noise, { raw: { width: 256, height: 256, channels: 3 } })
  const [jpeg, png] = [await image.jpeg().toBuffer(), await image.png().toBuffer()]
  const paths = Array.from({ length: 24 }, (_, i) => temporary.path(`${i}`))
  for (const [i, path] of paths.entries()) {
    const kinds = [jpeg, jpeg.subarray(0, jpeg.length / 2), png.subarray(0, png.length / 2), Buffer.from('text')]
    writeFileSync(path, kinds[i % 4])
  }
  const decoded = await decodeImages([...paths, temporary.path('absent')], [8, 8, 3])
  for (const [i, path] of paths.entries()) {
    const result = decoded[i]
    if (i % 4 === 0) expect(result).toHaveLength(192)
    else expect(String(result)).toContain(`'${path}' `)
    if (i % 4 === 1) expect(String(result)).toMatch(/JPEG/i)
    if (i % 4 === 1) expect(String(result)).not.toMatch(/png/i)
    if (i % 4 === 2) expect(String(result)).not.toMatch(/JPEG/i)
    if (i % 4 === 3) expect(String(result)).toContain('is not a JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF image')
  }
  expect(decoded[24]).toBeInstanceOf(FoveaError)
  expect(String(decoded[24])).toContain("absent': there is no such file")
})
