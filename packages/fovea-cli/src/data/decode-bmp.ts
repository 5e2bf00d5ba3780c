/**
 * @file BMP images, which libvips does not read without ImageMagick: all that are not compressed. The header is that of
 * Windows (BITMAPINFOHEADER and its successors) or of OS/2 (BITMAPCOREHEADER).
 */

interface BmpHeader {
  readonly width: number
  readonly height: number
  readonly bitsPerPixel: number
  /** Whether rows are stored from the top of the picture. */
  readonly topDown: boolean
  readonly headerBytes: number
  readonly compression: number
  readonly colours: number
  /** From the start of the file. */
  readonly pixelsAt: number
}

/** As sharp takes them. */
export interface RawImage {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
  /** RGB, or RGB and alpha. */
  readonly channels: 3 | 4
}

const FILE_HEADER = 14
const OS2_HEADER = 12
const WINDOWS_HEADER = 40
/** BITMAPV3INFOHEADER: the first with a mask for alpha. */
const ALPHA_HEADER = 56
const [NONE, BIT_FIELDS, ALPHA_BIT_FIELDS] = [0, 3, 6]

/**
 * Width and height, and what it takes to read the pixels.
 * @throws Error with the reason, if this is no BMP that can be read
 */
export function bmpHeader(bytes: Buffer): BmpHeader {
  if (bytes.length < FILE_HEADER + OS2_HEADER) throw new Error('it is cut short')
  const headerBytes = bytes.readUInt32LE(14)
  const pixelsAt = bytes.readUInt32LE(10)
  if (headerBytes === OS2_HEADER) {
    return checked({
      ...{ width: bytes.readUInt16LE(18), height: bytes.readUInt16LE(20), bitsPerPixel: bytes.readUInt16LE(24) },
      ...{ topDown: false, headerBytes, compression: NONE, colours: 0, pixelsAt },
    })
  }
  if (headerBytes < WINDOWS_HEADER) throw new Error(`its header has ${headerBytes} bytes`)
  if (bytes.length < FILE_HEADER + WINDOWS_HEADER) throw new Error('it is cut short')
  const height = bytes.readInt32LE(22)
  return checked({
    ...{ width: bytes.readInt32LE(18), height: Math.abs(height), bitsPerPixel: bytes.readUInt16LE(28) },
    ...{ topDown: height < 0, headerBytes, compression: bytes.readUInt32LE(30), colours: bytes.readUInt32LE(46) },
    pixelsAt,
  })
}

function checked(header: BmpHeader): BmpHeader {
  const { width, height, bitsPerPixel, compression } = header
  if (width < 1 || height < 1) throw new Error(`it has ${width}×${height} pixels`)
  if (![1, 4, 8, 16, 24, 32].includes(bitsPerPixel)) throw new Error(`it has ${bitsPerPixel} bits a pixel`)
  const masked = compression === BIT_FIELDS || compression === ALPHA_BIT_FIELDS
  if (compression === NONE || (masked && (bitsPerPixel === 16 || bitsPerPixel === 32))) return header
  throw new Error('it is a compressed BMP; save it as PNG')
}

/** @throws Error with the reason, if it is no BMP that can be read or cut short */
export function decodeBmp(bytes: Buffer): RawImage {
  const header = bmpHeader(bytes)
  const { width, height, bitsPerPixel, topDown, pixelsAt } = header
  const rowBytes = Math.ceil((width * bitsPerPixel) / 8)
  const stride = 4 * Math.ceil(rowBytes / 4)
  if (pixelsAt + stride * (height - 1) + rowBytes > bytes.length) throw new Error('it is cut short')
  const { channels, colourAt } = bitsPerPixel <= 8 ? paletteReader(bytes, header) : colourReader(bytes, header)
  const data = new Uint8Array(width * height * channels)
  for (let y = 0; y < height; y++) {
    const row = pixelsAt + stride * (topDown ? y : height - 1 - y)
    for (let x = 0; x < width; x++) colourAt(row, x, data, (y * width + x) * channels)
  }
  if (channels === 4) opaqueIfAllClear(data)
  return { data, width, height, channels }
}

interface PixelReader {
  readonly channels: 3 | 4
  /** Writes the pixel in column `x` of the row from byte `row` on to `target`, from `at` on. */
  readonly colourAt: (row: number, x: number, target: Uint8Array, at: number) => void
}

function paletteReader(bytes: Buffer, { bitsPerPixel, headerBytes, colours }: BmpHeader): PixelReader {
  const entryBytes = headerBytes === OS2_HEADER ? 3 : 4
  const start = FILE_HEADER + headerBytes
  const most = 1 << bitsPerPixel
  const count = colours === 0 || colours > most ? most : colours
  if (start + entryBytes * count > bytes.length) throw new Error('it is cut short')
  const mask = most - 1
  return {
    channels: 3,
    colourAt(row, x, target, at) {
      const bit = x * bitsPerPixel
      const index = (bytes[row + (bit >> 3)] >> (8 - bitsPerPixel - (bit & 7))) & mask
      if (index >= count) return // Black, as other readers have it.
      const entry = start + entryBytes * index
      for (let c = 0; c < 3; c++) target[at + c] = bytes[entry + 2 - c]
    },
  }
}

function colourReader(bytes: Buffer, header: BmpHeader): PixelReader {
  const { bitsPerPixel, headerBytes, compression } = header
  const pixelBytes = bitsPerPixel / 8
  if (bitsPerPixel === 24) {
    return {
      channels: 3,
      colourAt(row, x, target, at) {
        for (let c = 0; c < 3; c++) target[at + c] = bytes[row + 3 * x + 2 - c]
      },
    }
  }
  const inFile = (index: number): number => bytes.readUInt32LE(FILE_HEADER + WINDOWS_HEADER + 4 * index)
  const hasAlpha = compression === ALPHA_BIT_FIELDS || (compression === BIT_FIELDS && headerBytes >= ALPHA_HEADER)
  if (bytes.length < FILE_HEADER + ALPHA_HEADER && compression !== NONE) throw new Error('it is cut short')
  const usual = bitsPerPixel === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff]
  const masks = compression === NONE ? usual : [inFile(0), inFile(1), inFile(2), ...(hasAlpha ? [inFile(3)] : [])]
  const parts = masks.filter((mask, c) => c < 3 || mask !== 0).map(partOf)
  return {
    channels: parts.length === 4 ? 4 : 3,
    colourAt(row, x, target, at) {
      const pixel = bytes.readUIntLE(row + pixelBytes * x, pixelBytes)
      for (let c = 0; c < parts.length; c++) target[at + c] = parts[c](pixel)
    },
  }
}

/** The bits under a mask as 0 to 255. */
function partOf(mask: number): (pixel: number) => number {
  if (mask === 0) return () => 0
  const shift = 31 - Math.clz32(mask & -mask)
  const most = mask >>> shift
  return pixel => Math.round((255 * ((pixel & mask) >>> shift)) / most)
}

/** Many programs write an alpha channel of nothing but zeros and mean none. */
function opaqueIfAllClear(rgba: Uint8Array): void {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 0) return
  for (let i = 3; i < rgba.length; i += 4) rgba[i] = 255
}
