/** @file Claims about the options of augmentation: what is unknown is named. */
import { expect, it } from 'vitest'
import { type Augmentation, checkAugmentation } from '../../../src/data/augment/augmentation.js'

it.each([
  [{ cropp: { padding: 4 } }, "unknown augmentation 'cropp'. Did you mean crop? Known: crop, flip"],
  [{ flip: true }, "unknown flip 'true'. Known: random, alternating"],
  [{ flip: 'alternate' }, "unknown flip 'alternate'. Did you mean alternating?"],
  [{ crop: { padding: 1.5 } }, 'crop: the padding must be a whole number of pixels from 0 on, not 1.5'],
  [{ crop: { padding: 1, fill: 'reflected' } }, "unknown fill of crop 'reflected'. Did you mean reflect?"],
  [{ crop: { padding: 4, fill: 'reflect' } }, 'a padding of 4 cannot be reflected from images of 5×4; use at most 3'],
])('%j is refused', (augmentation, message) => {
  expect(() => checkAugmentation(augmentation as unknown as Augmentation, [5, 4, 3])).toThrow(message)
})
