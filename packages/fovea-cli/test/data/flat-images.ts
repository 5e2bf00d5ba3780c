/** @file Small images that a test tells apart by their grey level, and the levels of those in a data set. */
import type { Dataset } from 'fovea'
import sharp from 'sharp'
import type { TemporaryFolder } from './temporary-folder.js'

/** Flat PNGs of 12×12 pixels, by grey level. */
export const flat: readonly Buffer[] = await Promise.all(
  Array.from({ length: 20 }, (_, level) => {
    const background = { r: level, g: level, b: level }
    return sharp({ create: { width: 12, height: 12, channels: 3, background } })
      .png()
      .toBuffer()
  }),
)

/** Writes the images of the levels `from` to `to`, without the last, into a folder. */
export function fill(temporary: TemporaryFolder, folder: string, from: number, to: number): void {
  for (let level = from; level < to; level++)
    temporary.write(`${folder}/${String(level).padStart(2, '0')}.png`, flat[level])
}

/** The level of each image, in order. */
export function levels(data: Dataset): number[] {
  const size = data.imageShape[0] * data.imageShape[1] * 3
  const pixels = new Uint8Array(data.length * size)
  data.read(Array.from(data.labels.keys()), pixels)
  return Array.from(data.labels, (_, i) => pixels[i * size])
}
