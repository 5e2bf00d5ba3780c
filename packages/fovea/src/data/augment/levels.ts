/**
 * @file Operations that give each level of a channel another, by its histogram or by its bits. Level for level what PIL's
 * ImageOps give, on which the policies' published results stand.
 */
import type { ImageBuffer } from './image-buffer.js'

/** Stretches each channel so that its darkest level becomes 0 and its lightest 255. */
export function autoContrast(image: ImageBuffer): void {
  const { levels } = image
  image.count()
  for (let c = 0; c < image.channels; c++) {
    const histogram = image.histogram.subarray(256 * c, 256 * (c + 1))
    let low = 0
    while (histogram[low] === 0) low++
    let high = 255
    while (histogram[high] === 0) high--
    if (high === low) continue
    const scale = 255 / (high - low)
    for (let level = low; level <= high; level++) levels[level] = Math.min(255, level * scale - low * scale)
    image.mapChannel(c)
  }
}

/** Spreads each channel so that its levels are about equally frequent. */
export function equalize(image: ImageBuffer): void {
  const { levels } = image
  image.count()
  for (let c = 0; c < image.channels; c++) {
    const histogram = image.histogram.subarray(256 * c, 256 * (c + 1))
    let high = 255
    while (histogram[high] === 0) high--
    const step = Math.floor((image.height * image.width - histogram[high]) / 255)
    if (step === 0) continue
    let below = Math.floor(step / 2)
    for (let level = 0; level < 256; level++) {
      levels[level] = Math.min(255, Math.floor(below / step))
      below += histogram[level]
    }
    image.mapChannel(c)
  }
}

/** Keeps the upper `bits` bits of each level, 8 of which are all. */
export function posterize(image: ImageBuffer, bits: number): void {
  const mask = 256 - 2 ** (8 - bits)
  for (let level = 0; level < 256; level++) image.levels[level] = level & mask
  image.map()
}

/** Inverts the levels from `threshold` on. */
export function solarize(image: ImageBuffer, threshold: number): void {
  for (let level = 0; level < 256; level++) image.levels[level] = level < threshold ? level : 255 - level
  image.map()
}
