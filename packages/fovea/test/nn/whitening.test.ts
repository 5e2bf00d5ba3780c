/** @file Claims about whitening: eigenvectors are eigenvectors even of nearly singular matrices, filtered patches are white. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arrayDataset } from '../../src/data/array-dataset.js'
import { independentPatches, patchCovariance, symmetricEigen, whiteningFilters } from '../../src/nn/whitening.js'
import { normalAt, randomAt } from '../../src/random.js'

const symmetric = (size: number, key: number): Float64Array => {
  const values = Float64Array.from({ length: size * size }, (_, i) => normalAt(key, i))
  return values.map((_, at) => values[at] + values[(at % size) * size + Math.floor(at / size)])
}

test('a symmetric matrix is its eigenvectors times its eigenvalues, and the eigenvectors are orthonormal', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 16 }), fc.nat(), (size, key) => {
      const matrix = symmetric(size, key)
      const { eigenvalues, eigenvectors: v } = symmetricEigen(matrix, size)
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) {
          let [product, dot] = [0, 0]
          for (let k = 0; k < size; k++) {
            product += v[i * size + k] * eigenvalues[k] * v[j * size + k]
            dot += v[k * size + i] * v[k * size + j]
          }
          expect(product).toBeCloseTo(matrix[i * size + j], 10)
          expect(dot).toBeCloseTo(i === j ? 1 : 0, 12)
        }
      }
    }),
  )
})

test('directions of nearly no variance keep their variance: 1e-12 beside 1e4', () => {
  // A rotation by known angles of a diagonal matrix.
  const [c, s] = [Math.cos(0.3), Math.sin(0.3)]
  const [large, small] = [1e4, 1e-12]
  const matrix = Float64Array.of(
    c * c * large + s * s * small,
    c * s * (large - small),
    c * s * (large - small),
    s * s * large + c * c * small,
  )
  const { eigenvalues } = symmetricEigen(matrix, 2)
  const [least, most] = [...eigenvalues].sort((a, b) => a - b)
  expect(most).toBeCloseTo(large, 6)
  expect(Math.abs(least)).toBeLessThan(1e-11)
})

const dataset = (() => {
  const images = new Uint8Array(40 * 8 * 8 * 3)
  // Neighbours and colours go together, as in photos.
  for (let i = 0; i < images.length; i++) {
    const [pixel, channel] = [Math.floor(i / 3), i % 3]
    const row = Math.floor(pixel / 8)
    images[i] = 90 * randomAt(1, row) + 90 * randomAt(2, pixel) + (channel + 1) * 25 * randomAt(3, i)
  }
  return arrayDataset({ images, labels: new Int32Array(40), imageShape: [8, 8, 3], classes: ['a', 'b'] })
})()
const normalization = { mean: [0.4, 0.4, 0.4], deviation: [0.2, 0.2, 0.2] }

test('filtered patches have mean squares of 1 and no correlation; the second half are the negatives of the first', () => {
  const covariance = patchCovariance(dataset, normalization, 2)
  const { size, values } = covariance
  expect(size).toBe(12)
  const filters = whiteningFilters(covariance, 0)
  for (let a = 0; a < size; a++) {
    for (let b = 0; b < size; b++) {
      let sum = 0
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) sum += filters[a * size + i] * values[i * size + j] * filters[b * size + j]
      }
      expect(sum).toBeCloseTo(a === b ? 1 : 0, 3)
    }
  }
  for (let i = 0; i < size * size; i++) expect(filters[size * size + i]).toBe(-filters[i])
})

test('directions come from the largest variance to the smallest, so their filters grow', () => {
  const filters = whiteningFilters(patchCovariance(dataset, normalization, 2), 0)
  const norms = Array.from({ length: 12 }, (_, row) => Math.hypot(...filters.subarray(row * 12, row * 12 + 12)))
  expect(norms).toEqual([...norms].sort((a, b) => a - b))
})

test('without images, patches count as independent: filters take one value each, scaled by 1/√(1 + ε)', () => {
  const filters = whiteningFilters(independentPatches(3), 3)
  expect([...filters]).toEqual(
    [0.5, 0, 0, 0, 0.5, 0, 0, 0, 0.5, -0.5, 0, 0, 0, -0.5, 0, 0, 0, -0.5].map(x => expect.closeTo(x, 7)),
  )
})
