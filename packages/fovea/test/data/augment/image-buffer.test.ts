/** @file Claims about how an image is kept: levels that are changed later, and three channels that are written out. */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { rotate, shearX, shearY, translateX, translateY } from '../../../src/data/augment/affine.js'
import { CropAndFlip } from '../../../src/data/augment/crop-and-flip.js'
import { ImageBuffer } from '../../../src/data/augment/image-buffer.js'
import { autoContrast, equalize, posterize, solarize } from '../../../src/data/augment/levels.js'
import { randomResizedCrop, resizedCropSetting } from '../../../src/data/augment/resized-crop.js'
import { brightness, contrast, saturation, sharpness } from '../../../src/data/augment/tone.js'
import { normalizationTable } from '../../../src/data/normalization.js'
import { randomAt } from '../../../src/random.js'

type Change = (image: ImageBuffer) => void

const ofLevels: Change[] = [
  image => brightness(image, 1.4),
  image => posterize(image, 3),
  image => solarize(image, 100),
  autoContrast,
  equalize,
]
const ofPlaces: Change[] = [
  image => rotate(image, 25),
  image => shearX(image, 0.3),
  image => shearY(image, -0.4),
  image => translateX(image, 2),
  image => translateY(image, -3),
]
const ofColours: Change[] = [image => contrast(image, 1.6), image => saturation(image, 0.4)]
const sharper: Change = image => sharpness(image, 1.7)

const [height, width] = [19, 23]

function noise(channels: number): ImageBuffer {
  const image = new ImageBuffer([height, width, channels], new Uint8Array(channels).fill(99))
  image.pixels.forEach((_, i, pixels) => {
    pixels[i] = 30 + 150 * randomAt(channels, i)
  })
  return image
}

describe('changes of levels that follow one another', () => {
  const chains = fc.array(fc.constantFrom(...ofLevels, ...ofPlaces, ...ofColours, sharper), { maxLength: 5 })
  const table = normalizationTable({ mean: [0.4, 0.5, 0.6], deviation: [0.2, 0.3, 0.4] })

  function applied(changes: readonly Change[], between: Change = () => {}): ImageBuffer {
    const image = noise(3)
    for (const change of changes) {
      change(image)
      between(image)
    }
    return image
  }

  it('give what they give when all pixels are changed after each', () => {
    const look: Change = image => image.pixels
    fc.assert(
      fc.property(chains, changes => {
        expect(applied(changes).pixels).toEqual(applied(changes, look).pixels)
      }),
    )
  })

  it('are normalized as the pixels are', () => {
    fc.assert(
      fc.property(chains, changes => {
        const image = applied(changes)
        const normalized = new Float32Array(2 + image.blank.length)
        image.normalize(table, normalized, 2)
        const { pixels } = image
        expect(normalized.subarray(2)).toEqual(Float32Array.from(pixels, (level, i) => table[256 * (i % 3) + level]))
      }),
    )
  })

  it('do not outlive the image', () => {
    const image = noise(3)
    solarize(image, 0)
    image.spare.set(noise(3).pixels)
    image.swap()
    expect(image.pixels).toEqual(noise(3).pixels)
  })
})

const moved = new Map(
  [1, 2, 3].map(channels => {
    const placed = new CropAndFlip([height, width, channels])
    placed.place(2, -3, true, 'zero')
    return [channels, placed]
  }),
)

const cropAndFlip: Change = image => moved.get(image.channels)?.copy(image.pixels, 0, image)

const resizedCrop: Change = image => {
  const options = resizedCropSetting.parse({}, 'resizedCrop')
  const enlarge = randomResizedCrop(options, { seed: 1, epoch: 0 }, [height, width, image.channels])
  enlarge(3, image.pixels.slice(), 0, image)
}

/** One channel of the image alone. */
function channel(image: ImageBuffer, c: number): ImageBuffer {
  const alone = new ImageBuffer([height, width, 1], image.blank)
  alone.pixels.set(image.pixels.filter((_, i) => i % image.channels === c))
  return alone
}

test.each([...ofLevels, ...ofPlaces, sharper, cropAndFlip, resizedCrop].map(change => [change]))(
  'channels change alike, whether there are one, two or three: %s',
  change => {
    for (const channels of [2, 3]) {
      const image = noise(channels)
      const alone = Array.from({ length: channels }, (_, c) => channel(image, c))
      change(image)
      for (const [c, other] of alone.entries()) {
        change(other)
        expect(other.pixels).toEqual(channel(image, c).pixels)
      }
    }
  },
)
