/** @file Pictures as the browser decodes them, and the pixels of them that a model sees. Runs in a worker. */
import { resizedCenter } from '../../../packages/fovea-cli/assets/web/resize.js'

/** A file, or a frame of the camera. */
export type Picture = Blob | ImageBitmap

/** Pictures are kept no larger: models see less of them. The shorter side, in pixels. */
const KEPT_SIDE = 256

const surfaceOf = (width: number, height: number) => {
  const canvas = new OffscreenCanvas(width, height)
  return { canvas, context: canvas.getContext('2d', { willReadFrequently: true })! }
}

/**
 * A picture as it is kept: small, over white, as a JPEG file.
 * @throws DOMException for what this browser does not know as a picture
 */
export async function keptPicture(picture: Picture): Promise<Blob> {
  const bitmap = picture instanceof ImageBitmap ? picture : await createImageBitmap(picture)
  const scale = Math.min(1, KEPT_SIDE / Math.min(bitmap.width, bitmap.height))
  const [width, height] = [bitmap.width, bitmap.height].map(side => Math.max(1, Math.round(side * scale)))
  const { canvas, context } = surfaceOf(width, height)
  context.fillStyle = 'white'
  context.fillRect(0, 0, width, height)
  context.imageSmoothingQuality = 'high'
  context.drawImage(bitmap, 0, 0, width, height)
  bitmap.close()
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 })
}

/**
 * The pixels of kept pictures, one after another: the shorter side made to fit, the centre cropped.
 * @param size [height, width, channels], of 3 channels or 1
 * @param crop the part of the shorter side that is kept, and the filter, as the model was trained with
 * @param signal ends the work, with its reason as the error
 */
export async function pixelsOf(
  pictures: readonly Blob[],
  [height, width, channels]: readonly [number, number, number],
  resizing: { readonly crop: number; readonly interpolation: 'lanczos' | 'bicubic' | 'bilinear' } = {
    crop: 1,
    interpolation: 'lanczos',
  },
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const size = height * width * channels
  const all = new Uint8Array(pictures.length * size)
  for (const [i, picture] of pictures.entries()) {
    const bitmap = await createImageBitmap(picture)
    const { context } = surfaceOf(bitmap.width, bitmap.height)
    context.drawImage(bitmap, 0, 0)
    const image = context.getImageData(0, 0, bitmap.width, bitmap.height)
    bitmap.close()
    const colors = resizedCenter(image, [height, width], resizing)
    all.set(channels === 3 ? colors : grey(colors), i * size)
    signal?.throwIfAborted()
  }
  return all
}

/** Luminance (ITU-R BT.709). */
const grey = (colors: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: colors.length / 3 }, (_, i) => {
    const [r, g, b] = colors.subarray(3 * i, 3 * i + 3)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  })

/** A picture of pixels, to be shown. */
export function pictureOf(pixels: Uint8Array, [height, width, channels]: readonly number[]): Promise<Blob> {
  const { canvas, context } = surfaceOf(width, height)
  const image = new ImageData(width, height)
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[i * channels + (channels === 3 ? c : 0)]
    image.data[4 * i + 3] = 255
  }
  context.putImageData(image, 0, 0)
  return canvas.convertToBlob()
}
