/** @file Claims about BMP images: every layout without compression, and nothing but an Error for damaged ones. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bmpHeader, decodeBmp } from '../../src/data/decode-bmp.js'

interface Layout {
  readonly bits: 1 | 4 | 8 | 16 | 24 | 32
  readonly topDown?: boolean
  /** Of the header: 12 is OS/2's. */
  readonly header?: 12 | 40 | 108
  readonly masks?: readonly number[]
  readonly compression?: number
  readonly colours?: number
}

const palette = [
  [0, 0, 0],
  [255, 255, 255],
  [200, 30, 60],
  [10, 120, 240],
] as const
/** An index for the palette, and for colours what stands there. */
const indexAt = (x: number, y: number, colours = 4): number => (3 * x + 5 * y + (x >> 2)) % colours

/** Written as the format's description has it: bottom-up rows, padded to four bytes, blue first. */
function bmp(width: number, height: number, layout: Layout, valueAt: (x: number, y: number) => number): Buffer {
  const { bits, topDown = false, header = 40, masks = [], compression = 0, colours = 0 } = layout
  const extra = header === 40 ? 4 * masks.length : 0
  const entry = header === 12 ? 3 : 4
  const paletteBytes = bits <= 8 ? entry * (colours || 1 << bits) : 0
  const stride = 4 * Math.floor((bits * width + 31) / 32)
  const pixelsAt = 14 + header + extra + paletteBytes + 6 // A gap, as some programs leave.
  const file = Buffer.alloc(pixelsAt + stride * height)
  file.write('BM', 0, 'latin1')
  file.writeUInt32LE(file.length, 2)
  file.writeUInt32LE(pixelsAt, 10)
  file.writeUInt32LE(header, 14)
  if (header === 12) {
    for (const [i, value] of [width, height, 1, bits].entries()) file.writeUInt16LE(value, 18 + 2 * i)
  } else {
    file.writeInt32LE(width, 18)
    file.writeInt32LE(topDown ? -height : height, 22)
    file.writeUInt16LE(1, 26)
    file.writeUInt16LE(bits, 28)
    file.writeUInt32LE(compression, 30)
    file.writeUInt32LE(colours, 46)
    for (const [i, mask] of masks.entries()) file.writeUInt32LE(mask, 54 + 4 * i)
  }
  if (bits <= 8) {
    for (const [i, [r, g, b]] of palette.slice(0, 1 << bits).entries()) {
      file.set([b, g, r], 14 + header + extra + entry * i)
    }
  }
  for (let y = 0; y < height; y++) {
    const row = pixelsAt + stride * (topDown ? y : height - 1 - y)
    for (let x = 0; x < width; x++) {
      const value = valueAt(x, y)
      if (bits >= 16) file.writeUIntLE(value, row + (x * bits) / 8, bits / 8)
      else file[row + Math.floor((x * bits) / 8)] |= value << (8 - bits - ((x * bits) % 8))
    }
  }
  return file
}

const rgbAt = (x: number, y: number): readonly number[] => palette[indexAt(x, y)]
const expected = (width: number, height: number, at = rgbAt): number[] =>
  Array.from({ length: width * height }, (_, i) => at(i % width, Math.floor(i / width))).flat()

describe('decodeBmp', () => {
  it.each<Layout>([
    { bits: 4 },
    { bits: 8 },
    { bits: 8, topDown: true },
    { bits: 8, header: 12 },
    { bits: 8, colours: 4 },
    { bits: 4, header: 108 },
  ])('reads colours of a palette: %j', layout => {
    for (const [width, height] of [
      [1, 1],
      [7, 5],
      [8, 3],
    ]) {
      const file = bmp(width, height, layout, indexAt)
      expect(bmpHeader(file)).toMatchObject({ width, height })
      const { data, channels } = decodeBmp(file)
      expect([channels, [...data]]).toEqual([3, expected(width, height)])
    }
  })

  it('reads one bit a pixel', () => {
    const { data } = decodeBmp(bmp(11, 4, { bits: 1 }, (x, y) => indexAt(x, y, 2)))
    expect([...data]).toEqual(expected(11, 4, (x, y) => palette[indexAt(x, y, 2)]))
  })

  const packed = (x: number, y: number): number => {
    const [r, g, b] = rgbAt(x, y)
    return (r << 16) | (g << 8) | b
  }
  it.each<Layout>([
    { bits: 24 },
    { bits: 24, topDown: true },
    { bits: 24, header: 12 },
    { bits: 32 },
    { bits: 24, header: 108 },
  ])('reads colours: %j', layout => {
    for (const width of [1, 2, 3, 6]) {
      const { data, channels } = decodeBmp(bmp(width, 3, layout, packed))
      expect([channels, [...data]]).toEqual([3, expected(width, 3)])
    }
  })

  it('reads 16 bits a pixel, and colours under masks', () => {
    const at = (x: number, y: number): number => (x * 9 + y * 5) % 32
    const five = (x: number, y: number): number => (at(x, y) << 10) | (31 - at(x, y))
    const to8 = (value: number): number => Math.round((255 * value) / 31)
    const { data } = decodeBmp(bmp(5, 4, { bits: 16 }, five))
    expect([...data]).toEqual(expected(5, 4, (x, y) => [to8(at(x, y)), 0, to8(31 - at(x, y))]))
    const swapped = decodeBmp(bmp(4, 2, { bits: 32, compression: 3, masks: [0xff, 0xff00, 0xff0000] }, packed))
    expect([...swapped.data]).toEqual(expected(4, 2, (x, y) => [...rgbAt(x, y)].reverse()))
  })

  it('reads alpha where the header has a mask for it, and takes an alpha of zeros for none', () => {
    const layout: Layout = { bits: 32, header: 108, compression: 3, masks: [0xff0000, 0xff00, 0xff, 0xff000000] }
    const half = decodeBmp(bmp(2, 2, layout, (x, y) => packed(x, y) + 0x80 * 2 ** 24))
    expect([half.channels, half.data[3]]).toEqual([4, 0x80])
    const none = decodeBmp(bmp(2, 2, layout, packed))
    expect([none.channels, none.data[3], none.data[15]]).toEqual([4, 255, 255])
  })

  it('says what it does not read', () => {
    const file = bmp(4, 4, { bits: 8 }, indexAt)
    const changed = (at: number, value: number): Buffer => {
      const other = Buffer.from(file)
      other.writeUInt32LE(value, at)
      return other
    }
    expect(() => decodeBmp(changed(30, 1))).toThrow('it is a compressed BMP; save it as PNG')
    expect(() => decodeBmp(changed(18, 0))).toThrow('it has 0×4 pixels')
    expect(() => decodeBmp(changed(14, 7))).toThrow('its header has 7 bytes')
    expect(() => decodeBmp(changed(18, 1 << 28))).toThrow('it is cut short')
    expect(() => decodeBmp(file.subarray(0, file.length - 4))).toThrow('it is cut short')
  })

  it('answers any change of any bytes with pixels or an Error, and no more memory than the file has pixels', () => {
    const files = ([1, 8, 16, 24, 32] as const).map(bits => bmp(5, 4, { bits }, () => 1))
    const changes = fc.array(fc.tuple(fc.nat({ max: 100 }), fc.nat({ max: 255 })), { maxLength: 4 })
    fc.assert(
      fc.property(fc.constantFrom(...files), changes, fc.nat({ max: 200 }), (file, bytes, length) => {
        const changed = Buffer.from(file.subarray(0, file.length - length))
        for (const [at, byte] of bytes) if (at < changed.length) changed[at] = byte
        try {
          const { data } = decodeBmp(changed)
          expect(data.length).toBeLessThanOrEqual(32 * changed.length)
        } catch (error) {
          expect(String(error)).toMatch(/^Error: it/)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
