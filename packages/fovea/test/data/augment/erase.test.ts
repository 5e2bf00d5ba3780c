/** @file Claims about erasing: how much of an image, where, how often. */
import { describe, expect, it } from 'vitest'
import { type EraseOptions, eraseSetting, randomErase } from '../../../src/data/augment/erase.js'

const [height, width] = [20, 30]

/** What is erased from an image of ones: the rectangle around all zeros, which must be full of them; undefined if none. */
function erased(options: EraseOptions, index: number) {
  const images = new Float32Array(3 * height * width * 2).fill(1)
  const begin = height * width * 2
  randomErase(eraseSetting.parse(options, 'erase'), { seed: 1, epoch: 2 }, [height, width, 2])(index, images, begin)
  const zeros: number[] = []
  for (let i = 0; i < images.length; i++) if (images[i] === 0) zeros.push(i)
  if (zeros.length === 0) return undefined
  const ys = zeros.map(i => Math.floor((i - begin) / 2 / width))
  const xs = zeros.map(i => Math.floor((i - begin) / 2) % width)
  const [top, left, bottom, right] = [Math.min(...ys), Math.min(...xs), Math.max(...ys), Math.max(...xs)]
  expect(zeros[0]).toBeGreaterThanOrEqual(begin)
  expect(zeros[zeros.length - 1]).toBeLessThan(2 * begin)
  expect(zeros).toHaveLength((bottom - top + 1) * (right - left + 1) * 2)
  return { top, left, height: bottom - top + 1, width: right - left + 1 }
}

const draws = (options: EraseOptions, count = 600) =>
  Array.from({ length: count }, (_, index) => erased(options, index))
const share = (of: readonly unknown[], all: number): number => of.length / all

describe('cutout', () => {
  it('erases a square centred anywhere, as much of it as lies in the image', () => {
    const squares = draws({ type: 'cutout', size: 6 }).map(square => square!)
    for (const square of squares) {
      const cut = square.top === 0 || square.top + square.height === height
      expect(square.height).toBeGreaterThanOrEqual(cut ? 3 : 6)
      expect(square.height).toBeLessThanOrEqual(6)
      expect(square.width).toBeLessThanOrEqual(6)
    }
    // Centres 3 to 17 of 20 rows leave it whole.
    const whole = squares.filter(square => square.height === 6)
    expect(share(whole, squares.length)).toBeCloseTo(15 / 20, 1)
    expect(new Set(squares.map(square => square.left + square.width / 2)).size).toBe(width)
  })

  it('of an odd size is as large as it says', () => {
    expect(draws({ type: 'cutout', size: 5 }, 50).some(square => square!.height === 5 && square!.width === 5)).toBe(
      true,
    )
  })
})

describe('random erasing', () => {
  it('erases half of the images unless asked otherwise', () => {
    const standard = draws({ type: 'random-erasing' }).filter(part => part !== undefined)
    expect(share(standard, 600)).toBeCloseTo(0.5, 1)
    const always = draws({ type: 'random-erasing', probability: 1 }, 100)
    expect(always).not.toContain(undefined)
  })

  it('erases a part of an area and a ratio within their ranges', () => {
    const parts = draws({ type: 'random-erasing', probability: 1, area: [0.1, 0.2], ratio: [0.5, 2] }, 200)
    for (const part of parts) {
      expect((part!.height * part!.width) / (height * width)).toBeGreaterThan(0.08)
      expect((part!.height * part!.width) / (height * width)).toBeLessThan(0.22)
      expect(part!.width / part!.height).toBeGreaterThan(0.4)
      expect(part!.width / part!.height).toBeLessThan(2.4)
    }
    expect(new Set(parts.map(part => part!.top)).size).toBeGreaterThan(10)
  })

  it('erases nothing where no rectangle fits', () => {
    expect(erased({ type: 'random-erasing', probability: 1, area: [1, 1], ratio: [9, 9] }, 0)).toBeUndefined()
  })
})

it.each([
  [{ type: 'cut-out', size: 8 }, "erase.type: unknown 'cut-out'; did you mean 'cutout'?"],
  [{ type: 'cutout' }, 'erase.size: missing; expected a whole number of at least 0'],
  [{ type: 'cutout', size: 8, ratio: 1 }, 'erase.ratio: unknown option; known: size'],
  [{ type: 'random-erasing', probability: 1.2 }, 'erase.probability: expected a number from 0 to 1, got 1.2'],
  [{ type: 'random-erasing', area: [0.1] }, 'erase.area: expected [low, high], got [0.1]'],
])('%j is refused', (options, message) => {
  expect(() => eraseSetting.parse(options, 'erase')).toThrow(message)
})
