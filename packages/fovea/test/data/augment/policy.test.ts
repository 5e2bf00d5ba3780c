/** @file Claims about policies: which operations, how strong, how often. */
import { describe, expect, it } from 'vitest'
import { rotate, shearX, shearY, translateX, translateY } from '../../../src/data/augment/affine.js'
import { ImageBuffer } from '../../../src/data/augment/image-buffer.js'
import { autoContrast, equalize, posterize, solarize } from '../../../src/data/augment/levels.js'
import { type PolicyOptions, policySetting, randomPolicy } from '../../../src/data/augment/policy.js'
import { brightness, contrast, saturation, sharpness } from '../../../src/data/augment/tone.js'
import { randomAt } from '../../../src/random.js'

const shape = [24, 30, 3] as const
/** Colourful, but not of all levels: every operation changes it. */
const image = Uint8Array.from({ length: 24 * 30 * 3 }, (_, i) => 20 + 200 * randomAt(1, i) ** 2)

type Apply = (image: ImageBuffer, by: number) => void

const key = (pixels: Uint8Array): string => Buffer.from(pixels).toString('latin1')

function applied(change: (image: ImageBuffer) => void): string {
  const buffer = new ImageBuffer(shape, Uint8Array.of(10, 20, 30))
  buffer.pixels.set(image)
  change(buffer)
  return key(buffer.pixels)
}

/** How often each of the operations made of the image what it became, in `count` draws. */
function counts(
  policy: PolicyOptions,
  count: number,
  possible: readonly (readonly [string, Apply, readonly number[]])[],
) {
  const names = new Map<string, string>()
  for (const [name, apply, magnitudes] of possible) {
    for (const magnitude of magnitudes) {
      const result = applied(buffer => apply(buffer, magnitude))
      if (!names.has(result)) names.set(result, name)
    }
  }
  const draw = randomPolicy(policySetting.parse(policy, 'policy'), { seed: 2, epoch: 1 })
  const seen = new Map<string | undefined, number>()
  for (let index = 0; index < count; index++) {
    const name = names.get(applied(buffer => draw(index, buffer)))
    seen.set(name, (seen.get(name) ?? 0) + 1)
  }
  return seen
}

const both = (magnitude: number): number[] => [-magnitude, magnitude]
const around1 = (by: number): number[] => [1 - by, 1 + by]
/** Steps 0 to 30 of a range. */
const steps = (from: number, to: number): number[] =>
  Array.from({ length: 31 }, (_, i) => from + ((to - from) * i) / 30)

describe('rand-augment', () => {
  it('draws each of the 14 operations equally often, in both directions, at the magnitude of torchvision', () => {
    const possible: [string, Apply, number[]][] = [
      ['identity', () => {}, [0]],
      ['shearX', shearX, both(0.3)],
      ['shearY', shearY, both(0.3)],
      ['translateX', translateX, both((30 * 150) / 331)],
      ['translateY', translateY, both((24 * 150) / 331)],
      ['rotate', rotate, both(30)],
      ['brightness', brightness, around1(0.9)],
      ['color', saturation, around1(0.9)],
      ['contrast', contrast, around1(0.9)],
      ['sharpness', sharpness, around1(0.9)],
      ['posterize', posterize, [4]],
      ['solarize', solarize, [0]],
      ['autoContrast', autoContrast, [0]],
      ['equalize', equalize, [0]],
    ]
    const directions = possible.flatMap(([name, apply, magnitudes]) =>
      magnitudes.map((magnitude, i): [string, Apply, number[]] => [`${name}${i}`, apply, [magnitude]]),
    )
    const seen = counts({ type: 'rand-augment', operations: 1, magnitude: 30 }, 4000, directions)
    expect([...seen.keys()].sort()).toEqual(directions.map(([name]) => name).sort())
    for (const [name, , magnitudes] of possible) {
      for (const i of magnitudes.keys()) {
        expect(seen.get(`${name}${i}`)! / 4000).toBeCloseTo(1 / 14 / magnitudes.length, 1.7)
      }
    }
  })

  it('applies two operations of magnitude 9 unless asked otherwise', () => {
    const explicit = randomPolicy({ type: 'rand-augment', operations: 2, magnitude: 9 }, { seed: 2, epoch: 1 })
    const standard = randomPolicy(policySetting.parse({ type: 'rand-augment' }, 'policy'), { seed: 2, epoch: 1 })
    const changed = { one: 0, two: 0 }
    const one = randomPolicy(policySetting.parse({ type: 'rand-augment', operations: 1 }, 'policy'), {
      seed: 2,
      epoch: 1,
    })
    for (let index = 0; index < 500; index++) {
      const two = applied(buffer => standard(index, buffer))
      expect(two).toBe(applied(buffer => explicit(index, buffer)))
      if (two !== key(image)) changed.two++
      if (applied(buffer => one(index, buffer)) !== key(image)) changed.one++
    }
    // One in 14 operations changes nothing: both of two in 196 cases one. Solarizing from 178.5 on changes few levels.
    expect(changed.one / 500).toBeCloseTo(13 / 14, 1.5)
    expect(changed.two / 500).toBeCloseTo(195 / 196, 1.5)
  })
})

it('trivial-augment draws one operation, each equally often, at any of 31 magnitudes of its wide range', () => {
  const signed = (by: number): number[] => [...steps(0, by), ...steps(0, -by)]
  const factors = [...steps(1, 1.99), ...steps(1, 0.01)]
  const seen = counts({ type: 'trivial-augment' }, 4000, [
    ['identity', () => {}, [0]],
    ['shearX', shearX, signed(0.99)],
    ['shearY', shearY, signed(0.99)],
    ['translateX', translateX, signed(32)],
    ['translateY', translateY, signed(32)],
    ['rotate', rotate, signed(135)],
    ['brightness', brightness, factors],
    ['color', saturation, factors],
    ['contrast', contrast, factors],
    ['sharpness', sharpness, factors],
    ['posterize', posterize, [2, 3, 4, 5, 6, 7, 8]],
    ['solarize', solarize, steps(255, 0)],
    ['autoContrast', autoContrast, [0]],
    ['equalize', equalize, [0]],
  ])
  expect(seen.has(undefined)).toBe(false)
  expect(seen.size).toBe(14)
  // The weakest magnitudes change nothing, and count as the identity.
  for (const [name, count] of seen) {
    const least = name === 'identity' ? 0.08 : 0.05
    expect(count / 4000).toBeGreaterThan(least)
    expect(count / 4000).toBeLessThan(least + 0.04)
  }
})

it.each([
  [{ type: 'randaugment' }, "policy.type: unknown 'randaugment'; did you mean 'rand-augment'"],
  [{ type: 'rand-augment', magnitude: 31 }, 'policy.magnitude: expected a whole number from 0 to 30, got 31'],
  [{ type: 'rand-augment', operations: 0 }, 'policy.operations: expected a whole number of at least 1, got 0'],
  [{ type: 'rand-augment', operation: 3 }, "policy.operation: unknown option; did you mean 'operations'?"],
  [{ type: 'trivial-augment', magnitude: 9 }, 'policy.magnitude: unknown option; there are none here'],
])('%j is refused', (policy, message) => {
  expect(() => policySetting.parse(policy, 'policy')).toThrow(message)
})
