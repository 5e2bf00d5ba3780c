/** @file One image file to pixels of a given size. What training and prediction both see, so it stands in one place. */
import { readFile } from 'node:fs/promises'
import { FormatError } from 'fovea'
import sharp, { type SharpOptions } from 'sharp'
import { checkedSize, diskError, type FileLimit } from '../files.js'
import { formatNames, formatOf, isHeic } from './image-formats.js'

/** Refused before decoding: a file of a few kilobytes can claim a picture of many gigabytes. */
const MAX_PIXELS = 100e6

/** Of the file, as it is. */
const LIMIT: FileLimit = { what: 'an image', maxBytes: 256 << 20 }

const READ_OPTIONS: SharpOptions = { limitInputPixels: MAX_PIXELS, failOn: 'truncated', sequentialRead: true }

/**
 * Decodes a JPEG, PNG, WebP, GIF, TIFF or AVIF file, of several pictures the first: turned as its EXIF data says, shorter side resized to fit, centre cropped, in RGB;
 * transparency is laid over white.
 * @param size [height, width, channels] of the result; 3 channels are RGB, 1 is grey
 * @returns height × width × channels bytes
 * @throws FormatError if the image is damaged, cut short, too large or no image; FoveaError if it cannot be opened
 */
export async function decodeImage(
  path: string,
  [height, width, channels]: readonly [number, number, number],
): Promise<Uint8Array> {
  const bytes = await readImageFile(path)
  return decoding(path, async () => {
    const { data, info } = await sharp(bytes, READ_OPTIONS)
      .autoOrient()
      .resize(width, height, { fit: 'cover', position: 'centre' })
      .flatten({ background: '#ffffff' })
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    return info.channels === channels ? data : greyToRgb(data)
  })
}

/**
 * Height and width of an image as it is shown (after EXIF orientation), without decoding it.
 * @throws as decodeImage
 */
export async function imageSize(path: string): Promise<[height: number, width: number]> {
  const bytes = await readImageFile(path)
  return decoding(path, async () => {
    const { autoOrient } = await sharp(bytes, READ_OPTIONS).metadata()
    return [autoOrient.height, autoOrient.width]
  })
}

/** Looks at the first bytes, so that other decoders (SVG, PDF …) are never reached. */
async function readImageFile(path: string): Promise<Buffer> {
  checkedSize(path, LIMIT)
  const bytes = await readFile(path).catch((error: unknown) => {
    throw diskError(error, path, 'read')
  })
  if (bytes.length === 0) throw new FormatError(`'${path}' is empty`)
  if (isHeic(bytes)) throw new FormatError(`'${path}' is a HEIC image, which cannot be read here; convert it to JPEG`)
  if (!formatOf(bytes)) throw new FormatError(`'${path}' is not a ${formatNames} image`)
  return bytes
}

async function decoding<T>(path: string, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new FormatError(`'${path}' cannot be decoded: ${reasonIn(message)}`, { cause: error })
  }
}

/**
 * libvips has one text of errors for all threads: of decoders that fail side by side, one gets the others' lines with its
 * own, and another finds the text empty.
 */
function reasonIn(message: string): string {
  const lines = message.split('\n').map(line => line.trim())
  const distinct = [...new Set(lines)].filter(line => line !== '' && line !== 'Unknown error')
  return distinct.join('; ') || 'it is damaged or cut short'
}

function greyToRgb(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(3 * grey.length)
  for (let i = 0; i < rgb.length; i++) rgb[i] = grey[Math.floor(i / 3)]
  return rgb
}
