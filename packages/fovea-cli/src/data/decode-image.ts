/** @file One image file to pixels of a given size. What training and prediction both see, so it stands in one place. */
import { open } from 'node:fs/promises'
import { FormatError, FoveaError, type Preprocessing, type Resizing } from 'fovea'
import { checkArguments, defaultResizing, resizedSide, resizingSetting, tuple, whole } from 'fovea/engine'
import type { KernelEnum, Metadata, Sharp, SharpOptions } from 'sharp'
import { checkedSize, diskError, type FileLimit } from '../files.js'
import { loadSharp } from '../sharp.js'
import { Budget } from './budget.js'
import { bmpHeader, decodeBmp } from './decode-bmp.js'
import { formatNames, formatOf, type ImageFormat, isHeic } from './image-formats.js'
import { pathArgument } from './options.js'

/** Of the file, as it is. */
const LIMIT: FileLimit = { what: 'an image', maxBytes: 2 ** 30, remedy: 'make it smaller or save it as JPEG' }

/** What decoding one image may take, with its file: a file of a few kilobytes can claim a picture of many gigabytes. */
const MAX_BYTES = 2 ** 31

/** What images that are decoded side by side may take. One that needs more is decoded alone. */
const memory = new Budget(2 ** 30)

/** As much of a file as its header is looked for in, at first. */
const HEAD_BYTES = 128 << 10

const READ_OPTIONS: SharpOptions = { limitInputPixels: MAX_BYTES, failOn: 'truncated', sequentialRead: true }

/** The size of a picture as it is shown (after EXIF orientation), and its pixels once they are decoded to another. */
export interface DecodedImage {
  readonly height: number
  readonly width: number
  readonly pixels: Uint8Array
}

/** [height, width, channels] of pixels that an image is decoded to. */
export const pixelSize = tuple(
  'of the result',
  ['height', 'width', 'channels'],
  whole('pixels', { from: 1, to: 65_535 }),
)

const decodeArguments = { path: pathArgument, size: pixelSize, resizing: resizingSetting.optional() }

/** What an image is decoded to. */
export type DecodedSize = Pick<Preprocessing, 'size' | 'resizing'>

/**
 * Decodes a JPEG, PNG, WebP, GIF, TIFF, AVIF or BMP file, of several pictures the first: turned as its EXIF data says,
 * shorter side resized to fit, centre cropped, in RGB; transparency is laid over white.
 * @param size [height, width, channels] of the result; 3 channels are RGB, 1 is grey
 * @param resizing Default: the shorter side is that of the result, by Lanczos
 * @returns height × width × channels bytes
 * @throws FormatError if the image is damaged, cut short, too large or no image; FoveaError if it cannot be opened
 */
export async function decodeImage(
  path: string,
  size: readonly [number, number, number],
  resizing?: Resizing,
): Promise<Uint8Array> {
  checkArguments(decodeArguments, { path, size, resizing })
  return (await decodeFile(path, { size, ...(resizing && { resizing }) })).pixels
}

/** As decodeImage, with the size that the picture has. */
export const decodeFile = (path: string, size: DecodedSize): Promise<DecodedImage> => decode(fileSource(path), size)

/**
 * As decodeImage, of a file that somebody sent.
 * @param name of the image, for messages
 * @param maxPixels of the picture as it is in the file
 * @throws as decodeImage
 */
export async function decodeBytes(
  name: string,
  bytes: Buffer,
  size: DecodedSize,
  maxPixels = Number.POSITIVE_INFINITY,
): Promise<Uint8Array> {
  return (await decode(memorySource(name, bytes), size, maxPixels)).pixels
}

async function decode(
  source: ImageSource,
  size: DecodedSize,
  maxPixels = Number.POSITIVE_INFINITY,
): Promise<DecodedImage> {
  const { format, height, width, memoryBytes, whole } = await openImage(source)
  const { name, fileBytes } = source
  if (height * width > maxPixels) {
    const most = `${(maxPixels / 1e6).toLocaleString('en-US')} megapixels`
    throw new FormatError(`'${name}' has ${width}×${height} pixels, and ${most} are allowed here: make it smaller`)
  }
  const pixels = await withReason(source, memoryBytes + fileBytes, async () =>
    pixelsOf(format, whole ?? (await source.start(fileBytes)), size),
  )
  return { height, width, pixels }
}

/** Where an image file's bytes come from. */
interface ImageSource {
  readonly name: string
  readonly fileBytes: number
  /** Whether it is the user's own. */
  readonly isTrusted: boolean
  /** The first bytes, at most so many. */
  start(length: number): Promise<Buffer>
}

const fileSource = (path: string): ImageSource => ({
  name: path,
  fileBytes: checkedSize(path, LIMIT),
  isTrusted: true,
  start: length => readStart(path, length),
})

const memorySource = (name: string, bytes: Buffer): ImageSource => ({
  name,
  fileBytes: bytes.length,
  isTrusted: false,
  start: async length => bytes.subarray(0, length),
})

/** libvips's names. Its cubic is Catmull and Rom's, as Pillow's. */
const KERNELS = { lanczos: 'lanczos3', bicubic: 'cubic', bilinear: 'linear' } as const satisfies Record<
  Resizing['interpolation'],
  keyof KernelEnum
>

async function pixelsOf(
  format: ImageFormat,
  bytes: Buffer,
  { size: [height, width, channels], resizing = defaultResizing }: DecodedSize,
): Promise<Uint8Array> {
  const [fullHeight, fullWidth] = [height, width].map(side => resizedSide(side, resizing))
  const [top, left] = [Math.round((fullHeight - height) / 2), Math.round((fullWidth - width) / 2)]
  const decoder = await decoderOf(format, bytes)
  const { data, info } = await decoder
    .autoOrient()
    .resize(fullWidth, fullHeight, { fit: 'cover', position: 'centre', kernel: KERNELS[resizing.interpolation] })
    .extract({ left, top, width, height })
    .flatten({ background: '#ffffff' })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return info.channels === channels ? data : greyToRgb(data)
}

async function decoderOf({ name }: ImageFormat, bytes: Buffer): Promise<Sharp> {
  const sharp = await loadSharp()
  if (name !== 'BMP') return sharp(bytes, READ_OPTIONS)
  const { data, ...raw } = decodeBmp(bytes)
  return sharp(data, { raw, limitInputPixels: MAX_BYTES })
}

/**
 * Height and width of an image as it is shown (after EXIF orientation), without decoding it.
 * @throws as decodeImage
 */
export async function imageSize(path: string): Promise<[height: number, width: number]> {
  const { height, width } = await openImage(fileSource(pathArgument.parse(path, 'path')))
  return [height, width]
}

interface ImageHeader {
  readonly height: number
  readonly width: number
  /** What decoding it takes at most. */
  readonly memoryBytes: number
}

/** An image file before it is decoded. */
interface OpenedImage extends ImageHeader {
  readonly format: ImageFormat
  /** The file, if it is short. */
  readonly whole?: Buffer
}

/** Looks at the first bytes, so that other decoders (SVG, PDF …) are never reached, and at the size, so that none takes too much. */
async function openImage(source: ImageSource): Promise<OpenedImage> {
  const { name, fileBytes } = source
  const head = await source.start(HEAD_BYTES)
  if (head.length === 0) throw new FormatError(`'${name}' is empty`)
  if (isHeic(head)) throw new FormatError(`'${name}' is a HEIC image, which cannot be read here; convert it to JPEG`)
  const format = formatOf(head)
  if (!format) throw new FormatError(`'${name}' is not a ${formatNames} image`)
  const isWhole = head.length >= fileBytes
  const header = await withReason(source, fileBytes, async () => {
    const fromHead = headerOf(format, head)
    return isWhole ? fromHead : fromHead.catch(async () => headerOf(format, await source.start(fileBytes)))
  })
  if (header.memoryBytes + fileBytes > MAX_BYTES) throw tooLarge(name, format, header, fileBytes)
  return { ...header, format, ...(isWhole && { whole: head }) }
}

function tooLarge(
  path: string,
  { name }: ImageFormat,
  { height, width, memoryBytes }: ImageHeader,
  fileBytes: number,
): FormatError {
  const pixels = width * height
  const megapixels = (count: number): string => Math.floor(count / 1e6).toLocaleString('en-US')
  const most = (pixels * MAX_BYTES) / (memoryBytes + fileBytes)
  // A JPEG takes six bytes for a pixel, if it is a progressive one, and its file hardly a seventh.
  const orSave = name !== 'JPEG' && 7 * pixels <= MAX_BYTES ? ' or save it as JPEG' : ''
  return new FormatError(
    `'${path}' has ${width}×${height} pixels, ${megapixels(pixels)} megapixels; ` +
      `such ${name === 'AVIF' ? 'an' : 'a'} ${name} image may have ${megapixels(most)}: make it smaller${orSave}`,
  )
}

async function headerOf(format: ImageFormat, bytes: Buffer): Promise<ImageHeader> {
  if (format.name === 'BMP') {
    const { width, height } = bmpHeader(bytes)
    return { height, width, memoryBytes: 4 * width * height }
  }
  const sharp = await loadSharp()
  const metadata = await sharp(bytes, { ...READ_OPTIONS, limitInputPixels: false }).metadata()
  const { height, width } = metadata.autoOrient
  return { height, width, memoryBytes: width * height * bytesPerPixel(format, metadata) }
}

/**
 * At most. Measured on 200 megapixels: AVIF 17, an interlaced PNG of 8 bits 3.2, a progressive JPEG of 4:2:0 3; files that
 * are decoded row by row take next to nothing.
 */
function bytesPerPixel({ name }: ImageFormat, { channels, depth }: Metadata): number {
  if (name === 'AVIF') return 18
  const sampleBytes = { uchar: 1, ushort: 2, uint: 4, float: 4 }[depth as string] ?? 8
  // The coefficients of a progressive JPEG have 16 bits.
  return channels * (name === 'JPEG' ? 2 : sampleBytes)
}

/** The first bytes of a file, at most so many. */
async function readStart(path: string, length: number): Promise<Buffer> {
  try {
    const file = await open(path)
    try {
      const bytes = Buffer.alloc(length)
      let done = 0
      for (let got = -1; got !== 0 && done < length; done += got) {
        got = (await file.read(bytes, done, length - done, done)).bytesRead
      }
      return bytes.subarray(0, done)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw diskError(error, path, 'read')
  }
}

/**
 * Does what libvips does with a file, in a share of the memory. libvips has one text of errors for all threads, in which
 * files that fail side by side mix their reasons: what fails is done again, alone. Not what strangers send: they could make all
 * others wait.
 * @throws FormatError that names the file and its own reason; FoveaError if it cannot be read
 */
async function withReason<T>({ name, isTrusted }: ImageSource, bytes: number, work: () => Promise<T>): Promise<T> {
  try {
    return await memory.hold(bytes, work)
  } catch (error) {
    if (error instanceof FoveaError) throw error
    if (!isTrusted) throw new FormatError(`'${name}' cannot be decoded: ${DAMAGED}`, { cause: error })
  }
  try {
    return await memory.hold(memory.total, work)
  } catch (error) {
    if (error instanceof FoveaError) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new FormatError(`'${name}' cannot be decoded: ${reasonIn(message)}`, { cause: error })
  }
}

const DAMAGED = 'it is damaged or cut short'

/** Each line of it once. */
function reasonIn(message: string): string {
  const lines = message.split('\n').map(line => line.trim())
  const distinct = [...new Set(lines)].filter(line => line !== '' && line !== 'Unknown error')
  return distinct.join('; ') || DAMAGED
}

function greyToRgb(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(3 * grey.length)
  for (let i = 0; i < rgb.length; i++) rgb[i] = grey[Math.floor(i / 3)]
  return rgb
}
