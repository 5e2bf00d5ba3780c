/**
 * @file Policies: a few operations drawn at random from a table and applied one after another. The operations and the
 * ranges of their magnitudes are torchvision's.
 */
import { randomAt, randomKey } from '../../random.js'
import { type ValueOf, type VariantRows, variants } from '../../settings/group.js'
import { whole } from '../../settings/kinds.js'
import { rotate, shearX, shearY, translateX, translateY } from './affine.js'
import type { ImageBuffer } from './image-buffer.js'
import { passKey, type TrainingPass } from './keys.js'
import { autoContrast, equalize, posterize, solarize } from './levels.js'
import { brightness, contrast, saturation, sharpness } from './tone.js'

/**
 * `rand-augment` (Cubuk et al. 2019, arXiv 1909.13719): so many operations, all of one magnitude.
 * `trivial-augment` (Müller and Hutter 2021, arXiv 2103.10158, the wide space): one operation of a random magnitude.
 * Nothing is to be tuned in it.
 */
export type PolicyOptions =
  | {
      readonly type: 'rand-augment'
      /** Default 2. */
      readonly operations?: number
      /** A whole number from 0 to 30, the strongest. Default 9. */
      readonly magnitude?: number
    }
  | { readonly type: 'trivial-augment' }

type PolicyType = PolicyOptions['type']

/** Magnitudes, in an operation's own unit, at step 0 and at the last step of either policy. */
interface Range {
  readonly from: number
  readonly to: { readonly [T in PolicyType]: number | ((image: ImageBuffer) => number) }
  /** Whether half of the images get the opposite. */
  readonly signed?: true
}

interface Operation {
  readonly apply: (image: ImageBuffer, magnitude: number) => void
  readonly range?: Range
}

/** There are 31 magnitudes, 0 to 30, as in torchvision. */
const LAST_STEP = 30

/** How far a factor of tone lies from 1. */
const factor: Range = { from: 0, to: { 'rand-augment': 0.9, 'trivial-augment': 0.99 }, signed: true }
const slope: Range = { from: 0, to: { 'rand-augment': 0.3, 'trivial-augment': 0.99 }, signed: true }
/** RandAugment's shifts grow with the image, from 150 of AutoAugment's 331 pixels. */
const shift = (side: 'height' | 'width'): Range => ({
  from: 0,
  to: { 'rand-augment': image => (150 / 331) * image[side], 'trivial-augment': 32 },
  signed: true,
})

/** The fourteen of RandAugment, which TrivialAugment draws from as well. */
const operations: readonly Operation[] = [
  { apply: () => {} },
  { apply: shearX, range: slope },
  { apply: shearY, range: slope },
  { apply: translateX, range: shift('width') },
  { apply: translateY, range: shift('height') },
  { apply: rotate, range: { from: 0, to: { 'rand-augment': 30, 'trivial-augment': 135 }, signed: true } },
  { apply: (image, by) => brightness(image, 1 + by), range: factor },
  { apply: (image, by) => saturation(image, 1 + by), range: factor },
  { apply: (image, by) => contrast(image, 1 + by), range: factor },
  { apply: (image, by) => sharpness(image, 1 + by), range: factor },
  {
    apply: (image, bits) => posterize(image, Math.round(bits)),
    range: { from: 8, to: { 'rand-augment': 4, 'trivial-augment': 2 } },
  },
  { apply: solarize, range: { from: 255, to: { 'rand-augment': 0, 'trivial-augment': 0 } } },
  { apply: autoContrast },
  { apply: equalize },
]

/** The tables of `PolicyOptions`. */
export const policySetting = variants('a few of many operations', {
  'rand-augment': {
    operations: whole('how many an image gets', { from: 1 }).default(2),
    magnitude: whole('how strong they are', { from: 0, to: LAST_STEP }).default(9),
  },
  'trivial-augment': {},
} satisfies VariantRows<PolicyOptions>)

/** @returns applies the policy's operations for an image's index to the image */
export function randomPolicy(
  policy: ValueOf<typeof policySetting>,
  pass: TrainingPass,
): (index: number, image: ImageBuffer) => void {
  const key = passKey('policy', pass)
  const { type } = policy
  const count = type === 'rand-augment' ? policy.operations : 1
  const fixedStep = type === 'rand-augment' ? policy.magnitude : undefined
  return (index, image) => {
    const own = randomKey(key, index)
    for (let i = 0; i < count; i++) {
      const { apply, range } = operations[Math.floor(randomAt(own, 3 * i) * operations.length)]
      const step = fixedStep ?? Math.floor(randomAt(own, 3 * i + 1) * (LAST_STEP + 1))
      const sign = range?.signed && randomAt(own, 3 * i + 2) < 0.5 ? -1 : 1
      apply(image, range === undefined ? 0 : sign * magnitudeAt(range, type, step, image))
    }
  }
}

function magnitudeAt({ from, to }: Range, type: PolicyType, step: number, image: ImageBuffer): number {
  const end = to[type]
  return from + (((typeof end === 'number' ? end : end(image)) - from) * step) / LAST_STEP
}
