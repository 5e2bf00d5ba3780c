/** @file Claims about resized crops: which parts, how often. What becomes of them is tested against PIL. */
import { describe, expect, it } from 'vitest'
import { ImageBuffer } from '../../../src/data/augment/image-buffer.js'
import {
  type ResizedCropOptions,
  randomResizedCrop,
  resizedCropSetting,
} from '../../../src/data/augment/resized-crop.js'

const [height, width] = [60, 80]
/** Two channels: a pixel's row and its column. */
const coordinates = Uint8Array.from({ length: height * width * 2 }, (_, i) =>
  i % 2 === 0 ? Math.floor(i / 2 / width) : Math.floor(i / 2) % width,
)

/** Rows and columns that the crop of an image's index spans. */
function part(options: ResizedCropOptions, index: number) {
  const buffer = new ImageBuffer([height, width, 2], new Uint8Array(2))
  randomResizedCrop(resizedCropSetting.parse(options, 'resizedCrop'), { seed: 3, epoch: 0 }, [height, width, 2])(
    index,
    coordinates,
    0,
    buffer,
  )
  const [top, left] = buffer.pixels
  const [bottom, right] = buffer.pixels.subarray(-2)
  return { top, left, height: bottom - top + 1, width: right - left + 1 }
}

describe('a resized crop', () => {
  const indices = Array.from({ length: 500 }, (_, index) => index)

  it('has an area and a ratio within their ranges, and lies anywhere', () => {
    const parts = indices.map(index => part({ scale: [0.25, 0.5], ratio: [0.5, 2] }, index))
    for (const { height, width } of parts) {
      expect((height * width) / 4800).toBeGreaterThan(0.24)
      expect((height * width) / 4800).toBeLessThan(0.51)
      expect(width / height).toBeGreaterThan(0.48)
      expect(width / height).toBeLessThan(2.05)
    }
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value) / values.length
    expect(mean(parts.map(({ height, width }) => (height * width) / 4800))).toBeCloseTo(0.375, 1.5)
    expect(mean(parts.map(({ height, width }) => Math.log(width / height)))).toBeCloseTo(0, 1)
    expect(mean(parts.map(({ top, height }) => top / Math.max(1, 60 - height)))).toBeCloseTo(0.5, 1)
    expect(mean(parts.map(({ left, width }) => left / Math.max(1, 80 - width)))).toBeCloseTo(0.5, 1)
  })

  it('is from 8 % to all of the image unless asked otherwise', () => {
    const areas = indices.map(index => part({}, index)).map(({ height, width }) => (height * width) / 4800)
    expect(Math.min(...areas)).toBeCloseTo(0.08, 1.5)
    expect(Math.max(...areas)).toBeGreaterThan(0.9)
  })

  it('is the largest part in the middle where none fits', () => {
    expect(part({ scale: [1, 1], ratio: [3, 3] }, 0)).toEqual({ top: 16, left: 0, height: 27, width: 80 })
    expect(part({ scale: [1, 1], ratio: [0.5, 0.5] }, 0)).toEqual({ top: 0, left: 25, height: 60, width: 30 })
    expect(part({ scale: [1, 1], ratio: [0.5, 3] }, 0)).toEqual({ top: 0, left: 0, height: 60, width: 80 })
  })

  it.each([
    [{ scale: [0, 1] }, 'resizedCrop.scale.0: expected a number above 0 and at most 1, got 0'],
    [{ scale: [0.5, 1.5] }, 'resizedCrop.scale.1: expected a number above 0 and at most 1, got 1.5'],
    [{ ratio: [2, 1] }, 'resizedCrop.ratio: expected the lower number first, got [2, 1]'],
    [{ area: [0.1, 1] }, 'resizedCrop.area: unknown option; known: scale, ratio'],
  ])('refuses %j', (options, message) => {
    expect(() => resizedCropSetting.parse(options, 'resizedCrop')).toThrow(message)
  })
})
