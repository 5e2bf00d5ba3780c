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

  it('turns it in every way that there is', async () => {
    // The corner that is red as it is stored, for orientations 1 to 8, as it is shown.
    const shown = [
      'top left',
      'top right',
      'bottom right',
      'bottom left',
      'top left',
      'top right',
      'bottom right',
      'bottom left',
    ]
    const corner = Buffer.alloc(40 * 20 * 3)
    for (let y = 0; y < 10; y++) for (let x = 0; x < 20; x++) corner[(y * 40 + x) * 3] = 255
    const stored = sharp(corner, { raw: { width: 40, height: 20, channels: 3 } })
    for (const [i, where] of shown.entries()) {
      const jpeg = await stored
        .clone()
        .withMetadata({ orientation: i + 1 })
        .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
        .toBuffer()
      const path = temporary.write('corner.jpg', jpeg)
      const [height, width] = i < 4 ? [10, 20] : [20, 10]
      expect(await imageSize(path)).toEqual([2 * height, 2 * width])
      const pixels = await decodeImage(path, [height, width, 3])
      const y = where.startsWith('top') ? 2 : height - 3
      const x = where.endsWith('left') ? 2 : width - 3
      expect(pixel(pixels, width, x, y), `orientation ${i + 1}`).toEqual(RED)
      expect(pixel(pixels, width, width - 1 - x, height - 1 - y), `orientation ${i + 1}`).toEqual([0, 0, 0])
    }
  })

  it('finds the size of a file whose header is long or at its end', async () => {
    const long = await halves(40, 20).jpeg().toBuffer()
    // Comments of 64 kB each before the size is told.
    const comment = Buffer.concat([Buffer.from([0xff, 0xfe, 0xff, 0xff]), Buffer.alloc(65533, 32)])
    const padded = Buffer.concat([long.subarray(0, 2), comment, comment, comment, long.subarray(2)])
    expect(await imageSize(temporary.write('long.jpg', padded))).toEqual([20, 40])
    const noise = Uint8Array.from({ length: 300 * 300 * 3 }, (_, i) => Math.imul(i, 2654435761) >>> 24)
    const tiff = await sharp(noise, { raw: { width: 300, height: 300, channels: 3 } })
      .tiff({ compression: 'none' })
      .toBuffer()
    expect(tiff.length).toBeGreaterThan(200_000)
    const path = temporary.write('late.tif', tiff)
    expect(await imageSize(path)).toEqual([300, 300])
    expect(await decodeImage(path, [300, 300, 3])).toEqual(Buffer.from(noise))
  })

  it('reads colours of a palette, transparent ones of a GIF, deep grey ones, and an embedded profile', async () => {
    const first = async (name: string, bytes: Buffer, channels = 3) => [
      ...(await decodeImage(temporary.write(name, bytes), [4, 4, channels])).subarray(0, channels),
    ]
    const solid = (background: object, channels: 3 | 4 = 3) =>
      sharp({ create: { width: 8, height: 8, channels, background } as never })
    const teal = { r: 10, g: 130, b: 120 }
    expect(await first('palette.png', await solid(teal).png({ palette: true }).toBuffer())).toEqual([10, 130, 120])
    const clear = await solid({ ...teal, alpha: 0 }, 4)
      .gif()
      .toBuffer()
    expect(await first('clear.gif', clear)).toEqual([255, 255, 255])
    const deep = Uint16Array.from({ length: 64 }, () => 0x8080)
    const deepGrey = sharp(deep, { raw: { width: 8, height: 8, channels: 1 } }).toColourspace('grey16')
    for (const [name, bytes] of [
      ['grey16.png', await deepGrey.clone().png().toBuffer()],
      ['grey16.tif', await deepGrey.clone().tiff({ compression: 'lzw' }).toBuffer()],
    ] as const) {
      expect((await sharp(bytes).metadata()).depth, name).toBe('ushort')
      expect(await first(name, bytes), name).toEqual([128, 128, 128])
      expect(await first(name, bytes, 1), name).toEqual([128])
    }
    // Red as far as sRGB has it, in the numbers of a wider space.
    const wide = await solid({ r: 255, g: 0, b: 0 }).withIccProfile('p3').png().toBuffer()
    const [r, g, b] = await first('p3.png', wide)
    expect(r).toBeGreaterThan(250)
    expect(Math.max(g, b)).toBeLessThan(5)
    expect([...(await sharp(wide).keepIccProfile().raw().toBuffer()).subarray(0, 1)][0]).toBeLessThan(240)
  })

  it('reads BMP, whatever its name', async () => {
    const file = Buffer.alloc(54 + 2 * 8)
    file.write('BM', 0, 'latin1')
    for (const [at, value] of [
      [10, 54],
      [14, 40],
      [18, 2],
      [22, 2],
      [26, 1 + (24 << 16)],
    ]) {
      file.writeUInt32LE(value, at)
    }
    // Bottom row first: blue, red; then green, white.
    file.set([255, 0, 0, 0, 0, 255], 54)
    file.set([0, 255, 0, 255, 255, 255], 62)
    for (const name of ['x.bmp', 'x.jpg']) {
      const path = temporary.write(name, file)
      expect(await imageSize(path)).toEqual([2, 2])
      const pixels = await decodeImage(path, [2, 2, 3])
      expect([...pixels]).toEqual([0, 255, 0, 255, 255, 255, 0, 0, 255, 255, 0, 0])
      expect((await decodeImage(path, [2, 2, 1])).length).toBe(4)
    }
    file.writeUInt32LE(1, 30)
    const path = temporary.write('rle.bmp', file)
    await expect(decodeImage(path, [2, 2, 3])).rejects.toThrow(
      /rle\.bmp' cannot be decoded: it is a compressed BMP; save it/,
    )
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
    await refused('huge.png', huge).toThrow(
      /huge\.png' has 50000×50000 pixels, 2,500 megapixels; such a PNG image may have 715: make it smaller$/,
    )
    await refused('empty.jpg', '').toThrow("empty.jpg' is empty")
    await refused('text.jpg', '<svg xmlns="http://www.w3.org/2000/svg"/>').toThrow(
      "text.jpg' is not a JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF image",
    )
    const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1')
    await refused('phone.jpg', heic).toThrow(
      "phone.jpg' is a HEIC image, which cannot be read here; convert it to JPEG",
    )
    truncateSync(temporary.path('cut.jpg'), 1100 * 2 ** 20)
    await expect(decodeImage(temporary.path('cut.jpg'), [8, 8, 3])).rejects.toThrow(
      /cut\.jpg' has 1\.07 GiB; an image may have 1(\.00)? GiB at most; make it smaller or save it as JPEG$/,
    )
    await expect(decodeImage(temporary.path('absent.jpg'), [8, 8, 3])).rejects.toThrow(/cannot read '.*absent\.jpg'/)
  })

  it('says of each file what is wrong with it, as if it were alone', async () => {
    const jpeg = await halves(640, 640).jpeg().toBuffer()
    const png = await halves(640, 640).png().toBuffer()
    const webp = await halves(640, 640).webp().toBuffer()
    const tiff = await halves(640, 640).tiff({ compression: 'lzw' }).toBuffer()
    const paths = Array.from({ length: 32 }, (_, i) => {
      const bytes = [jpeg, png, webp, tiff][i % 4]
      return temporary.write(`${i}.jpg`, bytes.subarray(0, bytes.length * (0.2 + i / 64)))
    })
    const reason = (path: string) => decodeImage(path, [8, 8, 3]).catch((error: unknown) => String(error))
    const together = await Promise.all(paths.map(reason))
    for (const [i, path] of paths.entries()) {
      expect(together[i]).toContain(`'${path}' cannot be decoded`)
      expect(together[i]).toBe(await reason(path))
    }
    expect(new Set(together.map(text => String(text).replace(/.*decoded: /, ''))).size).toBeGreaterThan(2)
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
