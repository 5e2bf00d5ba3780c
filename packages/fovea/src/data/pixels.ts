/**
 * @file Pixels as people hand them in: 8-bit levels, as files and canvases have them. Anything else is refused with what to
 * write instead. Fractions from 0 to 1 are never guessed to be pixels: as 8-bit levels they would all be black.
 */
import { SettingError } from '../errors.js'
import { typeOf } from '../settings/describe.js'
import { unexpected } from '../settings/setting.js'

/** 8-bit pixels, [images, height, width, channels]; the model's preprocessing scales and normalizes them. */
export type Images = Uint8Array | Uint8ClampedArray

const expected = '8-bit pixels (a Uint8Array of levels from 0 to 255)'

/**
 * The pixels, not copied.
 * @throws SettingError for what are no 8-bit pixels, with the way to make them some
 */
export function pixelsOf(images: unknown, path = 'images'): Uint8Array {
  const type = typeOf(images)
  if (type === 'Uint8Array') return images as Uint8Array
  if (type === 'Uint8ClampedArray') {
    const { buffer, byteOffset, length } = images as Uint8ClampedArray
    return new Uint8Array(buffer, byteOffset, length)
  }
  throw unexpected(path, expected, images, remedyFor(images))
}

/** How these become 8-bit pixels, where that can be told. */
function remedyFor(images: unknown): string | undefined {
  if (typeof images !== 'object' || images === null) return undefined
  // A canvas's ImageData has its pixels in `data`, and a fourth channel.
  if ('data' in images && typeOf(images.data) === 'Uint8ClampedArray') {
    return 'its `data` has four channels a pixel, of which the last, alpha, is to be left out'
  }
  if (Array.isArray(images) && typeof images[0] === 'object') return 'write Uint8Array.from(images.flat(Infinity))'
  if (typeOf(images) === 'ArrayBuffer') return 'write new Uint8Array(images)'
  if (!Array.isArray(images) && !ArrayBuffer.isView(images)) return undefined
  if (typeOf(images).startsWith('Big')) return 'write Uint8Array.from(images, Number)'
  const [least, most] = rangeOf(images as ArrayLike<unknown>)
  if (least >= 0 && most <= 1) {
    return 'for values from 0 to 1 write Uint8Array.from(images, value => Math.round(255 * value))'
  }
  if (least >= 0 && most <= 255) return 'for values from 0 to 255 write Uint8Array.from(images, Math.round)'
  return Number.isFinite(least + most)
    ? `its values go from ${Number(least.toPrecision(3))} to ${Number(most.toPrecision(3))}: give the images as they are, the model normalizes them`
    : undefined
}

function rangeOf(values: ArrayLike<unknown>): readonly [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i])
    if (Number.isNaN(value)) return [Number.NaN, Number.NaN]
    least = Math.min(least, value)
    most = Math.max(most, value)
  }
  return [least, most]
}

/**
 * How many images these pixels are.
 * @throws SettingError if they are none, or no whole number of images
 */
export function imageCount(pixels: Uint8Array, shape: readonly number[], path = 'images'): number {
  const size = shape.reduce((product, side) => product * side, 1)
  const count = pixels.length / size
  if (Number.isInteger(count) && count > 0) return count
  const [height, width, channels] = shape
  const alpha = channels === 3 && pixels.length > 0 && pixels.length % (height * width * 4) === 0
  throw new SettingError(
    path,
    `an image of ${shape.join('×')} has ${size} values, got ${pixels.length} in all` +
      (alpha ? '; are there four channels, as a canvas has? Leave out the last, alpha' : ''),
  )
}
