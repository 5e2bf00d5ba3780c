/**
 * @file Claims about operations on 8-bit levels: they give what PIL gives, level for level. The expected levels are those
 * of torchvision 0.14.1 on PIL 9.4.0 images, with nearest-neighbour interpolation and the fill [10, 20, 30]:
 * `functional.adjust_brightness` and so on, `autoaugment._apply_op` for the rest.
 */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { rotate, shearX, shearY, translateX, translateY } from '../../../src/data/augment/affine.js'
import { ImageBuffer } from '../../../src/data/augment/image-buffer.js'
import { autoContrast, equalize, posterize, solarize } from '../../../src/data/augment/levels.js'
import { randomResizedCrop, resizedCropSetting } from '../../../src/data/augment/resized-crop.js'
import { brightness, contrast, hue, saturation, sharpness } from '../../../src/data/augment/tone.js'
import { randomAt } from '../../../src/random.js'

type Shape = readonly [number, number, number]

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const levels = (length: number, at: (i: number) => number): Uint8Array => Uint8Array.from({ length }, (_, i) => at(i))

/** [3, 4, 3] */
const image = levels(36, i => (37 * i * i + 11 * i) % 256)

function applied(
  operation: (image: ImageBuffer, by: number) => void,
  by: number,
  pixels = image,
  shape: Shape = [3, 4, 3],
) {
  const buffer = new ImageBuffer(shape, Uint8Array.of(10, 20, 30))
  buffer.pixels.set(pixels)
  operation(buffer, by)
  return buffer.pixels
}

test.each([
  [autoContrast, 0, '00007d865ec5903d5f1ddcff66fcf1339e36bcfe81c9e11e5845c1a467b7730c00ff6f4e'],
  [posterize, 3, '0020a06060c060608000e0e040e0e020a08080e0a0a0e0604060c08080c0402060c08080'],
  [solarize, 100.5, '00305591832b896267181d095403112a4f7f6501535b198d48972d797b335e3a602f7571'],
  [brightness, 1.7, '0051ffbbd2ffc8a6ff28ffff8effff47ffd9ffffffffffc17ab0ffe3e0ff9f62a3ffeaf1'],
  [contrast, 0.3, '6270958387a1857f8f69a5ab7bada96e968890ae9593a7847781a18a899f7e737ea08b8c'],
  [saturation, 1.8, '0030ff5e77ff7c58b900ffff00ffff00d47e69ff8989ff2f2c65ff807cfe6e2e72f77980'],
  [sharpness, 0.1, '0030aa6e7cd476629818e2f654fcee47989d82c3a6a4e6724868d28684cc5e3a60d08a8e'],
  [shearX, 0.6, '0030aa6e7cd476629818e2f62ab0809afeaca4e6720a141e5e3a60d08a8e0a141e0a141e'],
  [shearY, -0.6, '0030aa0a141e0a141e0a141e54fcee6e7cd40a141e0a141e4868d22ab08076629818e2f6'],
  [translateX, 1.9, '0a141e0030aa6e7cd47662980a141e54fcee2ab0809afeac0a141e4868d28684cc5e3a60'],
  [translateY, -1, '54fcee2ab0809afeaca4e6724868d28684cc5e3a60d08a8e0a141e0a141e0a141e0a141e'],
  [rotate, 30, '0a141e766298766298a4e6720030aa2ab0809afeacd08a8e54fcee8684cc8684cc0a141e'],
])('$name by %d is that of PIL', (operation, by, expected) => {
  expect(hex(applied(operation, by))).toBe(expected)
})

test('equalize is that of PIL', () => {
  // The first levels of ImageOps.equalize of these 30×30 greys.
  const greys = levels(900, i => (Math.floor((i * i) / 7) + i) % 97)
  const first = [0, 5, 11, 19, 28, 31, 38, 46, 56, 64, 76, 85, 106, 122, 135, 149, 161, 182, 197, 211, 236, 255, 255, 5]
  expect(Array.from(applied(equalize, 0, greys, [30, 30, 1]).subarray(0, first.length))).toEqual(first)
})

test("hue is torchvision's for tensors, but rounded where that is cut off", () => {
  // functional.adjust_hue of a uint8 tensor by 0.2; for PIL images it computes in 8-bit HSV, which changes them by itself.
  const expected = Buffer.from('9c00aad46ecd9862795817f66754fc293fb09ad7fe72e6cbcd48d2cc84bb603f39c6d08a', 'hex')
  const difference = applied(hue, 0.2).map((level, i) => level - expected[i])
  expect(new Set(difference)).toEqual(new Set([0, 1]))
})

test('a resized crop is the crop and the bilinear resize of PIL', () => {
  // Seed 4 draws rows 0 and 1, columns 2 and 3 for image 5: functional.resized_crop(image, 0, 2, 2, 2, [3, 4]).
  const buffer = new ImageBuffer([3, 4, 3], new Uint8Array(3))
  randomResizedCrop(resizedCropSetting.parse({}, 'resizedCrop'), { seed: 4, epoch: 0 }, [3, 4, 3])(5, image, 0, buffer)
  expect(hex(buffer.pixels)).toBe('7662985f82b030c2df18e2f688b0a27ebda769d7b05ee4b49afeac9df89ea2ec81a4e672')
})

describe('on any image', () => {
  const side = fc.integer({ min: 1, max: 9 })
  const images = fc.record({ shape: fc.tuple(side, side, fc.constantFrom(1, 3)), key: fc.nat() })
  const noise = ([height, width, channels]: Shape, key: number): Uint8Array =>
    levels(height * width * channels, i => randomAt(key, i) * 256)

  it.each([
    [brightness, 1],
    [contrast, 1],
    [saturation, 1],
    [sharpness, 1],
    [hue, 0],
    [posterize, 8],
    [solarize, 256],
    [rotate, 0],
    [rotate, 360],
    [shearX, 0],
    [shearY, 0],
    [translateX, -0.9],
    [translateY, 0.9],
  ])('$name by %d changes nothing', (operation, by) => {
    fc.assert(
      fc.property(images, ({ shape, key }) => {
        const pixels = noise(shape, key)
        expect(applied(operation, by, pixels, shape)).toEqual(pixels)
      }),
    )
  })

  it('a whole turn of the hue in five parts comes back, but for rounding', () => {
    fc.assert(
      fc.property(images, ({ shape, key }) => {
        const pixels = noise(shape, key)
        let turned = pixels
        for (let i = 0; i < 5; i++) turned = applied(hue, 0.2, turned, shape)
        // Where the range of levels is narrow, a level is much of the hue.
        expect(Math.max(...turned.map((level, i) => Math.abs(level - pixels[i])))).toBeLessThanOrEqual(5)
      }),
    )
  })

  it('greys have no hue and no saturation', () => {
    fc.assert(
      fc.property(images, fc.double({ min: -0.5, max: 0.5, noNaN: true }), ({ shape, key }, turn) => {
        const greys = noise([shape[0], shape[1], 1], key)
        const pixels = levels(greys.length * shape[2], i => greys[Math.floor(i / shape[2])])
        expect(applied(hue, turn, pixels, shape)).toEqual(pixels)
        expect(applied(saturation, 0.3, pixels, shape)).toEqual(pixels)
      }),
    )
  })

  it('four quarter turns of a square come back', () => {
    fc.assert(
      fc.property(side, fc.nat(), (length, key) => {
        const pixels = noise([length, length, 3], key)
        let turned = pixels
        for (let i = 0; i < 4; i++) turned = applied(rotate, 90, turned, [length, length, 3])
        expect(turned).toEqual(pixels)
      }),
    )
  })

  it('autoContrast uses the whole range of levels of each channel that has two', () => {
    fc.assert(
      fc.property(images, ({ shape, key }) => {
        const pixels = noise(shape, key)
        const result = applied(autoContrast, 0, pixels, shape)
        for (let c = 0; c < shape[2]; c++) {
          const [before, after] = [pixels, result].map(all => Array.from(all).filter((_, i) => i % shape[2] === c))
          if (new Set(before).size === 1) expect(after).toEqual(before)
          else {
            expect(Math.min(...after)).toBe(0)
            // A level that comes out a trifle under 255 is rounded down: PIL does so too.
            expect(Math.max(...after)).toBeGreaterThanOrEqual(254)
          }
        }
      }),
    )
  })
})
