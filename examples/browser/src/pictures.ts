/** @file Pictures as they are kept and shown: small files. Runs in a worker. */

/** A file, or a frame of the camera. */
export type Picture = File | ImageBitmap

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
