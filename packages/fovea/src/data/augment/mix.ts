/**
 * @file Mixing the images of a batch, each with a partner: the batch in reverse order. The labels are mixed as well, which
 * is the loss's business; here is only by how much. It is the one augmentation that looks at more than one image.
 */
import { randomAt, randomKey } from '../../random.js'
import { group, type Rows } from '../../settings/group.js'
import { choice, number } from '../../settings/kinds.js'
import { symmetricBeta } from './beta.js'
import { passKey, type TrainingPass } from './keys.js'

/**
 * `mixup` (Zhang et al. 2017, arXiv 1710.09412): the weighted mean of two images.
 * `cutmix` (Yun et al. 2019, arXiv 1905.04899): a rectangle of an image is its partner's.
 */
export interface MixOptions {
  readonly type: (typeof types)[number]
  /** The share of an image's own is drawn from Beta(alpha, alpha), once a batch: the larger, the nearer to a half. */
  readonly alpha: number
}

/** How the images of a batch were mixed. */
export interface Mix {
  /** [batch] class indices of the partners. */
  readonly labels: Int32Array
  /** The partner's share of an image, and of its label; the rest is the image's own. */
  readonly weight: number
}

const types = ['mixup', 'cutmix'] as const

/** The table of `MixOptions`. */
export const mixSetting = group('images are mixed with others of the batch', {
  type: choice('how', types),
  alpha: number('the larger, the nearer to a half is the share', { above: 0 }),
} satisfies Rows<MixOptions>)

/**
 * @param shape [height, width, channels] of the images
 * @returns mixes the images of a batch, [labels.length, height, width, channels], in place
 */
export function randomMix(
  { type, alpha }: MixOptions,
  pass: TrainingPass,
  shape: readonly [number, number, number],
): (batch: number, images: Float32Array, labels: Int32Array) => Mix {
  const key = passKey('mix', pass)
  const mix = type === 'mixup' ? mixup : cutmix
  return (batch, images, labels) => {
    const own = randomKey(key, batch)
    const weight = mix(images, labels.length, shape, 1 - symmetricBeta(alpha, randomKey(own, 0)), randomKey(own, 1))
    return { labels: labels.toReversed(), weight }
  }
}

type Shape = readonly [number, number, number]

function mixup(images: Float32Array, batch: number, [height, width, channels]: Shape, weight: number): number {
  const length = height * width * channels
  const own = 1 - weight
  for (let n = 0; n < batch >> 1; n++) {
    let other = (batch - 1 - n) * length
    for (let i = n * length; i < (n + 1) * length; i++, other++) {
      const a = images[i]
      const b = images[other]
      images[i] = own * a + weight * b
      images[other] = own * b + weight * a
    }
  }
  return weight
}

/**
 * The rectangle has the image's shape and lies anywhere (section 3.1 of the paper); what is outside the image is cut off.
 * @returns the share of the image that is within it
 */
function cutmix(
  images: Float32Array,
  batch: number,
  [height, width, channels]: Shape,
  weight: number,
  key: number,
): number {
  const size = Math.sqrt(weight)
  const [down, across] = [Math.floor(height * size), Math.floor(width * size)]
  const y = Math.floor(randomAt(key, 0) * height) - (down >> 1)
  const x = Math.floor(randomAt(key, 1) * width) - (across >> 1)
  const [top, bottom] = [Math.max(0, y), Math.min(height, y + down)]
  const [left, right] = [Math.max(0, x), Math.min(width, x + across)]
  const row = width * channels
  for (let n = 0; n < batch >> 1; n++) {
    for (let line = top; line < bottom; line++) {
      const begin = (n * height + line) * row
      let other = ((batch - 1 - n) * height + line) * row + left * channels
      for (let i = begin + left * channels; i < begin + right * channels; i++, other++) {
        const a = images[i]
        images[i] = images[other]
        images[other] = a
      }
    }
  }
  return ((bottom - top) * (right - left)) / (height * width)
}
