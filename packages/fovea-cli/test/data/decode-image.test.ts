import { truncateSync } from 'node:fs'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { decodeImage, imageSize } from '../../src/data/decode-image.js'
import { temporaryFolder } from './temporary-folder.js'

const temporary = temporaryFolder()

/** Left half red, right half blue. */
const halves = (width: number, height: number) => {
  const pixels = Buffer.alloc(width * height * 3)
  for (let i = 0; i < width * height; i++) pixels[3 * i + (i % width < width / 2 ? 0 : 2)] = 255
  return sharp(pixels, { raw: { width, height, channels: 3 } })
}

const pixel = (pixels: Uint8Array, width: number, x: number, y: number): number[] =>
  [...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)].map(v => Math.round(v / 32) * 32)

const RED = [256, 0, 0]
const BLUE = [0, 0, 256]

describe('decodeImage', () => {
  it.each(['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'] as const)(
    'decodes %s, resizes the shorter side and crops the centre',
    async format => {
      const path = temporary.write(`x.${format}`, await halves(40, 20).toFormat(format).toBuffer())
      expect(await imageSize(path)).toEqual([20, 40])
      const pixels = await decodeImage(path, [10, 10, 3])
      expect(pixels.length).toBe(300)
      expect(pixel(pixels, 10, 1, 5)).toEqual(RED)
      expect(pixel(pixels, 10, 8, 5)).toEqual(BLUE)
    },
  )

  it('leaves the pixels of an image of the right size as they are', async () => {
    const raw = Buffer.from(Uint8Array.from({ length: 300 }, (_, i) => (i * 7) % 256))
    const png = await sharp(raw, { raw: { width: 10, height: 10, channels: 3 } })
      .png()
      .toBuffer()
    expect(Buffer.from(await decodeImage(temporary.write('x.png', png), [10, 10, 3]))).toEqual(raw)
  })

  it('turns an image as its EXIF orientation says', async () => {
    // Orientation 6: shown turned a quarter clockwise, so that the left half comes to the top.
    const jpeg = await halves(40, 20).withMetadata({ orientation: 6 }).jpeg().toBuffer()
    const path = temporary.write('x.jpg', jpeg)
    expect(await imageSize(path)).toEqual([40, 20])
    const pixels = await decodeImage(path, [10, 10, 3])
    expect(pixel(pixels, 10, 5, 1)).toEqual(RED)
    expect(pixel(pixels, 10, 5, 8)).toEqual(BLUE)
  })

  it('makes grey images RGB, lays transparent ones over white, and takes 16 bits to 8', async () => {
    const solid = (channels: 3 | 4, background: object) =>
      sharp({ create: { width: 8, height: 8, channels, background } as never })
    const grey = await solid(3, { r: 128, g: 128, b: 128 }).toColourspace('b-w').png().toBuffer()
    const clear = await solid(4, { r: 255, g: 0, b: 0, alpha: 0 }).png().toBuffer()
    const deep = await solid(3, { r: 255, g: 0, b: 0 }).toColourspace('rgb16').png().toBuffer()
    const greyAlpha = await sharp(clear).toColourspace('b-w').png().toBuffer()
    const first = async (name: string, bytes: Buffer) => {
      const pixels = await decodeImage(temporary.write(name, bytes), [4, 4, 3])
      expect(pixels.length).toBe(48)
      return [...pixels.subarray(0, 3)]
    }
    expect(await first('grey.png', grey)).toEqual([128, 128, 128])
    expect(await first('clear.png', clear)).toEqual([255, 255, 255])
    expect(await first('grey-alpha.png', greyAlpha)).toEqual([255, 255, 255])
    expect(await first('deep.png', deep)).toEqual([255, 0, 0])
  })

  it('takes the inks of a CMYK JPEG for the colours that they print', async () => {
    const solid = sharp({ create: { width: 16, height: 16, channels: 3, background: { r: 255, g: 0, b: 0 } } })
    const path = temporary.write('inks.jpg', await solid.toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer())
    expect((await sharp(path).metadata()).space).toBe('cmyk')
    const pixels = await decodeImage(path, [8, 8, 3])
    expect(pixels.length).toBe(192)
    const [r, g, b] = pixels
    expect(r).toBeGreaterThan(200)
    expect(Math.max(g, b)).toBeLessThan(80)
    expect((await decodeImage(path, [8, 8, 1])).length).toBe(64)
  })

  it('takes the first of several pictures, and knows what a file is whatever its name', async () => {
    const frames = [RED, BLUE].map(([r, g, b]) =>
      sharp({ create: { width: 12, height: 8, channels: 3, background: { r, g, b } } })
        .png()
        .toBuffer(),
    )
    const animation = sharp(await Promise.all(frames), { join: { animated: true } })
    const path = temporary.write('x.webp', await animation.clone().webp({ lossless: true }).toBuffer())
    expect((await sharp(path).metadata()).pages).toBe(2)
    expect(await imageSize(path)).toEqual([8, 12])
    expect(pixel(await decodeImage(path, [8, 8, 3]), 8, 4, 7)).toEqual(RED)
    const gif = temporary.write('gif.jpg', await animation.clone().gif().toBuffer())
    expect(pixel(await decodeImage(gif, [8, 8, 3]), 8, 4, 7)).toEqual(RED)
    const pages = temporary.write('pages.tif', await animation.clone().tiff({ compression: 'lzw' }).toBuffer())
    expect((await sharp(pages).metadata()).pages).toBe(2)
    expect(await imageSize(pages)).toEqual([8, 12])
    expect(pixel(await decodeImage(pages, [8, 8, 3]), 8, 4, 7)).toEqual(RED)
  })

  it('refuses what is cut short, damaged, empty, no image, too large or absent, naming the file', async () => {
    const jpeg = await halves(64, 64).jpeg().toBuffer()
    const png = await halves(64, 64).png().toBuffer()
    const huge = Buffer.from(png)
    huge.writeUInt32BE(50_000, 16)
    huge.writeUInt32BE(50_000, 20)
    const refused = (name: string, bytes: Uint8Array | string) =>
      expect(decodeImage(temporary.write(name, bytes), [8, 8, 3])).rejects
    await refused('cut.jpg', jpeg.subarray(0, jpeg.length * 0.7)).toThrow(/cut\.jpg' cannot be decoded: /)
    await refused('cut.png', png.subarray(0, png.length * 0.7)).toThrow(/cut\.png' cannot be decoded: /)
    await refused('head.jpg', jpeg.subarray(0, 30)).toThrow(/head\.jpg' cannot be decoded: /)
    await refused('huge.png', huge).toThrow(/huge\.png' cannot be decoded: .*pixel limit/)
    await refused('empty.jpg', '').toThrow("empty.jpg' is empty")
    await refused('text.jpg', '<svg xmlns="http://www.w3.org/2000/svg"/>').toThrow(
      "text.jpg' is not a JPEG, PNG, WebP, GIF, TIFF or AVIF image",
    )
    const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1')
    await refused('phone.jpg', heic).toThrow(
      "phone.jpg' is a HEIC image, which cannot be read here; convert it to JPEG",
    )
    truncateSync(temporary.path('cut.jpg'), 300 << 20)
    await expect(decodeImage(temporary.path('cut.jpg'), [8, 8, 3])).rejects.toThrow(
      "cut.jpg' has 300 MiB; an image may have 256 MiB at most",
    )
    await expect(decodeImage(temporary.path('absent.jpg'), [8, 8, 3])).rejects.toThrow(/cannot read '.*absent\.jpg'/)
  })

  it('says once what is wrong, however many damaged images are decoded side by side', async () => {
    const jpeg = await halves(640, 640).jpeg().toBuffer()
    const paths = Array.from({ length: 24 }, (_, i) =>
      temporary.write(`${i}.jpg`, jpeg.subarray(0, jpeg.length * (0.3 + i / 48))),
    )
    const errors = await Promise.all(paths.map(path => decodeImage(path, [8, 8, 3]).catch((e: unknown) => String(e))))
    for (const error of errors) {
      expect(error).toMatch(/cannot be decoded: .*(premature|cut short)/)
      expect(error).not.toMatch(/premature.*premature|Unknown/)
    }
  })
})
