/** @file Erasing a part of an image, after normalization: what is erased becomes 0, the mean colour. */
import { randomAt, randomKey } from '../../random.js'
import { type ValueOf, type VariantRows, variants } from '../../settings/group.js'
import { number, whole } from '../../settings/kinds.js'
import { interval } from './check.js'
import { passKey, type TrainingPass } from './keys.js'
import { type Rectangle, randomRectangle } from './rectangle.js'

/**
 * `cutout` (DeVries and Taylor 2017, arXiv 1708.04552): a square centred anywhere in the image, cut off at its border.
 * `random-erasing` (Zhong et al. 2017, arXiv 1708.04896): sometimes, a rectangle within the image.
 */
export type EraseOptions =
  | {
      readonly type: 'cutout'
      /** Pixels of a side. */
      readonly size: number
    }
  | {
      readonly type: 'random-erasing'
      /** Of an image to be erased at all. Default 0.5. */
      readonly probability?: number
      /** Share of the image's area. Default [0.02, 0.33], as torchvision. */
      readonly area?: readonly [number, number]
      /** Width / height of the rectangle. Default [0.3, 3.3], as torchvision. */
      readonly ratio?: readonly [number, number]
    }

/** The tables of `EraseOptions`. */
export const eraseSetting = variants('a part becomes the mean colour', {
  cutout: { size: whole('pixels of a side', { from: 0 }) },
  'random-erasing': {
    probability: number('of an image to be erased at all', { from: 0, to: 1 }).default(0.5),
    area: interval("share of the image's", { to: 1 }).default([0.02, 0.33]),
    ratio: interval('width / height').default([0.3, 3.3]),
  },
} satisfies VariantRows<EraseOptions>)

/** With all that has a default. */
type Erase = ValueOf<typeof eraseSetting>

/**
 * @param shape [height, width, channels] of the images
 * @returns erases what an image's index draws; `images` holds many, this one from `begin` on
 */
export function randomErase(
  erase: Erase,
  pass: TrainingPass,
  shape: readonly [number, number, number],
): (index: number, images: Float32Array, begin: number) => void {
  const key = passKey('erase', pass)
  const part = { top: 0, left: 0, bottom: 0, right: 0 }
  const draw = erase.type === 'cutout' ? cutout(erase.size, shape, part) : randomErasing(erase, shape, part)
  const [, width, channels] = shape
  return (index, images, begin) => {
    if (!draw(randomKey(key, index))) return
    for (let y = part.top; y < part.bottom; y++) {
      const row = begin + y * width * channels
      images.fill(0, row + part.left * channels, row + part.right * channels)
    }
  }
}

/** Sets `part` to what the key of one image draws; false if nothing is to be erased. */
type Draw = (key: number) => boolean

const cutout =
  (size: number, [height, width]: readonly number[], part: Rectangle): Draw =>
  key => {
    const top = Math.floor(randomAt(key, 0) * height) - (size >> 1)
    const left = Math.floor(randomAt(key, 1) * width) - (size >> 1)
    part.top = Math.max(0, top)
    part.left = Math.max(0, left)
    part.bottom = Math.min(height, top + size)
    part.right = Math.min(width, left + size)
    return true
  }

function randomErasing(
  { probability, area, ratio }: Extract<Erase, { type: 'random-erasing' }>,
  size: readonly number[],
  part: Rectangle,
): Draw {
  return key => randomAt(key, 0) < probability && randomRectangle(randomKey(key, 1), size, area, ratio, part)
}
