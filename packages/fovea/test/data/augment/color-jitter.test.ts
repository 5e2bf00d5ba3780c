/** @file Claims about colour jitter: how far each quantity changes, and in which order. */
import { describe, expect, it } from 'vitest'
import {
  type ColorJitterOptions,
  colorJitterSetting,
  randomColorJitter,
} from '../../../src/data/augment/color-jitter.js'
import { ImageBuffer } from '../../../src/data/augment/image-buffer.js'
import { randomAt } from '../../../src/random.js'

const pass = { seed: 1, epoch: 4 }

function jittered(options: ColorJitterOptions, pixels: ArrayLike<number>, index: number): number[] {
  const buffer = new ImageBuffer([1, pixels.length / 3, 3], new Uint8Array(3))
  buffer.pixels.set(pixels)
  randomColorJitter(colorJitterSetting.parse(options, 'colorJitter'), pass)(index, buffer)
  return Array.from(buffer.pixels)
}

describe('colour jitter', () => {
  it('changes brightness by a factor uniform from 1 − x to 1 + x, but never below 0', () => {
    const levels = Array.from({ length: 2000 }, (_, index) => jittered({ brightness: 0.4 }, [100, 100, 100], index)[0])
    for (const quarter of [0, 1, 2, 3]) {
      const within = levels.filter(level => level >= 60 + 20 * quarter && level < 80 + 20 * quarter)
      expect(within.length / 2000).toBeCloseTo(1 / 4, 1.3)
    }
    expect([Math.min(...levels), Math.max(...levels)]).toEqual([60, 139])
    const black = Array.from({ length: 2000 }, (_, index) => jittered({ brightness: 3 }, [1, 1, 1], index)[0])
    expect(black.filter(level => level === 0).length / 2000).toBeCloseTo(1 / 2, 1)
  })

  it('turns the hue by as much either way, and keeps the lightest and the darkest channel', () => {
    const colors = Array.from({ length: 1000 }, (_, index) => jittered({ hue: 0.1 }, [220, 20, 20], index))
    // Red turns to yellow (green rises) or to purple (blue rises) by up to a tenth of the wheel, 0.6 of a side.
    const [green, blue] = [1, 2].map(c => colors.map(color => color[c]))
    expect([Math.max(...green), Math.max(...blue)]).toEqual([140, 140])
    expect(green.filter(level => level > 20).length / 1000).toBeCloseTo(1 / 2, 1)
    for (const color of colors) expect([Math.max(...color), Math.min(...color)]).toEqual([220, 20])
  })

  it('comes in a random order', () => {
    const image = Array.from({ length: 30 }, (_, i) => Math.floor(randomAt(1, i) * 200))
    const options = { brightness: 0.9, contrast: 0.9 }
    let [brightnessFirst, contrastFirst] = [0, 0]
    for (let index = 0; index < 400; index++) {
      const only = (name: keyof typeof options, pixels: number[]) => jittered({ [name]: 0.9 }, pixels, index)
      const both = String(jittered(options, image, index))
      if (both === String(only('contrast', only('brightness', image)))) brightnessFirst++
      else if (both === String(only('brightness', only('contrast', image)))) contrastFirst++
    }
    expect(brightnessFirst + contrastFirst).toBe(400)
    expect(brightnessFirst / 400).toBeCloseTo(1 / 2, 1)
  })

  it.each([
    [{ brightness: -0.1 }, 'colorJitter.brightness: expected a number of at least 0, got -0.1'],
    [{ hue: 0.6 }, 'colorJitter.hue: expected a number from 0 to 0.5, got 0.6'],
    [{ saturate: 1 }, "colorJitter.saturate: unknown option; did you mean 'saturation'?"],
  ])('refuses %j', (options, message) => {
    expect(() => colorJitterSetting.parse(options, 'colorJitter')).toThrow(message)
  })
})
