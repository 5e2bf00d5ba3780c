import { expect, it } from 'vitest'
import { arrayDataset, fingerprintOf } from '../../src/data/array-dataset.js'

const options = { images: Uint8Array.of(1, 2, 3, 4, 5, 6), imageShape: [1, 2, 1] as const, classes: ['a', 'b'] }

it('reads images by index, in any order, more than once', () => {
  const data = arrayDataset({ ...options, labels: [0, 1, 0] })
  const target = new Uint8Array(6)
  data.read([2, 0, 2], target)
  expect(Array.from(target)).toEqual([5, 6, 1, 2, 5, 6])
})

it('fingerprints content: any byte, label or order changes it', () => {
  const images = Uint8Array.from({ length: 1003 }, (_, i) => i)
  const labels = Int32Array.of(0, 1, 2)
  const seen = new Set([fingerprintOf(images, labels), fingerprintOf(images, Int32Array.of(1, 0, 2))])
  for (const at of [0, 3, 500, 999, 1000, 1002]) {
    const changed = images.slice()
    changed[at] ^= 1
    seen.add(fingerprintOf(changed, labels))
  }
  expect(seen.size).toBe(8)
  expect(fingerprintOf(images.slice(), labels)).toMatch(/^[0-9a-f]{16}$/)
  expect(seen).toContain(fingerprintOf(images.slice(), labels))
})

it('refuses pixels, labels and shapes that do not fit together', () => {
  expect(() => arrayDataset({ ...options, labels: [0] })).toThrow(
    '1 labels and images of 1×2×1 need 2 bytes of pixels, got 6',
  )
  expect(() => arrayDataset({ ...options, labels: [0, 2, 0] })).toThrow(
    'labels.1: expected the name or the index of one of 2 classes (0 to 1), got 2',
  )
})
