/** @file Claims about what the account of a compression says of integers by themselves. */
import { expect, test } from 'vitest'
import type { TradeOffPoint } from '../../src/account/trade-off.js'
import { aboutIntegers } from '../../src/compress/about-integers.js'

const point = (amount: number, integers: boolean, latencyMs: number, accuracy: number) =>
  ({
    ...{ amount, integers, latencyMs, accuracy, arithmetic: 'native', techniques: [] },
    throughput: { batch: 32, imagesPerSecond: 1000 / latencyMs },
  }) as unknown as TradeOffPoint

const original = point(0, false, 10, 0.9)
const bytes = { kind: 'bytes', most: 0.1 } as const

test('integers that are slower than the same channels in float32, though faster than the original, are told of', () => {
  const points = [original, point(0.5, false, 4, 0.89), point(0.5, true, 6, 0.89)]
  expect(aboutIntegers({ targets: [bytes], points, chosen: points[2] })).toEqual([
    'integers are slower here than the same channels in float32 (one image takes 1.50× as long, many images take 1.50× as long): they are for the bytes.',
  ])
  expect(aboutIntegers({ targets: [bytes], points, chosen: points[1] })).toEqual([])
})

test('what integers lose by themselves is told with what to ask for, unless it was asked for', () => {
  const points = [original, point(0.5, false, 4, 0.89), point(0.5, true, 3, 0.87)]
  const [told, ...others] = aboutIntegers({ targets: [bytes], points, chosen: points[2] })
  expect(told).toBe(
    "integers by themselves: −2.0 points. With accuracy in --target, such as 'accuracy>=-0.5', the layers that lose most stay float32.",
  )
  expect(others).toEqual([])
  const accuracy = { kind: 'accuracy', least: -5 } as const
  expect(aboutIntegers({ targets: [bytes, accuracy], points, chosen: points[2] })).toEqual([])
  const near = [original, point(0.5, false, 4, 0.89), point(0.5, true, 3, 0.886)]
  expect(aboutIntegers({ targets: [bytes], points: near, chosen: near[2] })).toEqual([])
})
