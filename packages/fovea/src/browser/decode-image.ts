/** @file One picture of a page to pixels of a given size, decoded by the browser. What training and prediction both see. */
import { imageSize } from '../data/dataset-setting.js'
import { FormatError } from '../errors.js'
import type { Resizing } from '../models/model.js'
import { resizingSetting } from '../models/resizing.js'
import { typeOf } from '../settings/describe.js'
import { checkArguments } from '../settings/group.js'
import { custom, thing } from '../settings/kinds.js'
import { unexpected, within } from '../settings/setting.js'
import { type Seen, seenPixels } from './seen-pixels.js'

/**
 * A picture as a page has it: a `File` or another `Blob` with the bytes of an image file, a `<canvas>`, `<img>` or `<video>` (the frame
 * that it shows), an `ImageBitmap`, an `ImageData`, a `VideoFrame`.
 */
export type Picture = ImageBitmapSource

const kinds = [
  ...['File', 'Blob', 'ImageBitmap', 'ImageData', 'VideoFrame', 'OffscreenCanvas'],
  ...['HTMLCanvasElement', 'HTMLImageElement', 'HTMLVideoElement', 'SVGImageElement'],
]

/** A picture of any kind. */
export const pictureSetting = thing(
  'to be decoded',
  'other',
  'a File, Blob, ImageBitmap, ImageData or VideoFrame, or a canvas, img or video element',
  (value): value is Picture => kinds.includes(typeOf(value)),
)

const shape = imageSize('of the result')

/** The rows of what pictures are decoded to. */
export const seenSettings = {
  size: custom('of the result', '[height, width, channels]', (value, path) => {
    const size = shape.parse(value, path)
    if (size[2] !== 3 && size[2] !== 1) throw unexpected(within(path, 2), '3 (RGB) or 1 (grey)', size[2])
    return size
  }),
  resizing: resizingSetting.optional(),
}

const decodeArguments = { picture: pictureSetting, ...seenSettings }

/**
 * Decodes a picture as `decodeImage` of `fovea-cli/data` does a file: turned as its EXIF data says, shorter side resized to fit, centre
 * cropped, in RGB; transparency is laid over white. In a page or in a worker.
 * @param picture stays as it is
 * @param size [height, width, channels] of the result, `preprocessing.size` of a model; 3 channels are RGB, 1 is grey
 * @param resizing `preprocessing.resizing` of a model. Default: the shorter side is that of the result, by Lanczos
 * @returns height × width × channels bytes, as `predict` takes them
 * @throws FormatError naming a file that is damaged or no image that this browser reads; SettingError for what is no picture
 */
export async function decodeImage(
  picture: Picture,
  size: readonly [number, number, number],
  resizing?: Resizing,
): Promise<Uint8Array> {
  checkArguments(decodeArguments, { picture, size, resizing })
  return decode(picture, fileName(picture) ?? 'the picture', { size, ...(resizing && { resizing }) })
}

/** @param name for messages */
export async function decode(picture: Picture, name: string, seen: Seen): Promise<Uint8Array> {
  const bitmap = await createImageBitmap(picture).catch((error: unknown) => {
    const why = picture instanceof Blob ? 'is damaged, or no image that this browser reads' : `cannot be read: ${error}`
    throw new FormatError(`${name} ${why}`, { cause: error })
  })
  try {
    return seenPixels(bitmap, seen)
  } finally {
    bitmap.close()
  }
}

/** What messages call a picture that is a file. @param folder where it lies, if it does not say so itself */
export const fileName = (picture: Picture, folder?: string): string | undefined => {
  if (typeOf(picture) !== 'File') return undefined
  const { webkitRelativePath: path, name } = picture as File
  return `'${path || (folder === undefined ? name : `${folder}/${name}`)}'`
}
