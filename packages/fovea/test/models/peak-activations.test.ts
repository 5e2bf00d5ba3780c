/** @file Claims about the most memory that activations take at once: of the largest pair that must be there together. */
import { expect, test } from 'vitest'
import { peakActivationBytes } from '../../src/models/peak-activations.js'
import { createModel } from '../../src/models/registry.js'

const model = createModel('resnet20')
const plane = 32 * 32 * 16

test('a block of a ResNet holds what it adds at its end, and what a convolution reads and writes', () => {
  expect(peakActivationBytes(model)).toBe(4 * 3 * plane)
})

test('16 bits take half of it, and layers that stay float32 their own', () => {
  for (const precision of ['mixed_bfloat16', 'mixed_float16'] as const) {
    const peak = peakActivationBytes(model, { precision })
    expect(peak).toBeGreaterThanOrEqual(2 * 3 * plane)
    expect(peak).toBeLessThan(0.7 * peakActivationBytes(model))
  }
  expect(peakActivationBytes(model, { precision: 'mixed_bfloat16', keepFloat32: ['*'] })).toBe(4 * 3 * plane)
  expect(() => peakActivationBytes(model, { precision: 'mixed_bfloat16', keepFloat32: ['conv9'] })).toThrow(
    "keepFloat32: 'conv9' matches no convolution or linear layer",
  )
})
