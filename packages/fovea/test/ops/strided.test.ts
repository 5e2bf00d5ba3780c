/** @file Windows, broadcasting and strided walks against brute force, on random shapes. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { broadcastShapes, elements } from '../../src/graph/types.js'
import { windowedSize } from '../../src/ops/conv2d.js'
import { addProduct, transpose } from '../../src/ops/matrix.js'
import { broadcastIndices, denseStrides, stridedIndices } from '../../src/ops/strided.js'

const small = (min: number, max: number) => fc.integer({ min, max })

test('windowedSize counts the windows that fit', () => {
  fc.assert(
    fc.property(
      small(1, 30),
      small(1, 7),
      small(1, 4),
      small(0, 6),
      small(1, 3),
      (size, kernel, stride, padding, dilation) => {
        let windows = 0
        for (let at = 0; at + dilation * (kernel - 1) < size + padding; at += stride) windows++
        expect(Math.max(windowedSize(size, kernel, stride, padding, dilation), 0)).toBe(windows)
      },
    ),
  )
})

/** A shape, and another that it broadcasts with: some axes 1, some leading axes missing, on either side. */
const pair = fc
  .tuple(fc.array(small(1, 4), { maxLength: 4 }), fc.infiniteStream(small(0, 3)))
  .map(([shape, choices]) => {
    const shrink = (): number[] => {
      const lead = Math.min(choices.next().value ?? 0, shape.length)
      return shape.slice(lead).map(size => (choices.next().value === 0 ? 1 : size))
    }
    return [shrink(), shrink()] as const
  })

describe('broadcasting', () => {
  test('does not care which comes first, and is the larger size on each axis', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const shape = broadcastShapes(a, b)
        expect(shape).toEqual(broadcastShapes(b, a))
        expect(shape?.length).toBe(Math.max(a.length, b.length))
        shape?.forEach((size, axis) => {
          const [p, q] = [a, b].map(s => s[s.length - shape.length + axis] ?? 1)
          expect(size).toBe(Math.max(p, q))
        })
      }),
    )
  })

  test('refuses sizes that differ', () => {
    fc.assert(
      fc.property(small(2, 5), small(2, 5), (p, q) => {
        expect(broadcastShapes([3, p], [q])).toEqual(p === q ? [3, p] : undefined)
      }),
    )
  })

  test('broadcastIndices finds the element at the same position, 0 on repeated axes', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const to = broadcastShapes(a, b) ?? []
        const indices = broadcastIndices(a, to)
        expect(indices.length).toBe(elements(to))
        indices.forEach((index, i) => {
          const position = denseStrides(to).map((stride, axis) => Math.floor(i / stride) % to[axis])
          const strides = denseStrides(a)
          const lead = to.length - a.length
          const expected = a.reduce(
            (sum, size, axis) => sum + (size === 1 ? 0 : position[lead + axis] * strides[axis]),
            0,
          )
          expect(index).toBe(expected)
        })
      }),
    )
  })
})

test('a dense walk is 0, 1, 2, …', () => {
  fc.assert(
    fc.property(fc.array(small(1, 4), { maxLength: 4 }), shape => {
      expect([...stridedIndices(shape, denseStrides(shape))]).toEqual([...Array(elements(shape)).keys()])
    }),
  )
})

test('the matrix product equals the plain triple loop, at every remainder of its blocks', () => {
  fc.assert(
    fc.property(small(1, 11), small(1, 7), small(1, 9), (m, n, k) => {
      const a = Float64Array.from({ length: m * k }, (_, i) => (i * 7) % 11)
      const b = Float64Array.from({ length: n * k }, (_, i) => (i * 5) % 13)
      const c = new Float64Array(m * n).fill(1)
      addProduct(a, b, c, m, n, k)
      const columns = transpose(b, n, k) // [k, n]
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 1
          for (let p = 0; p < k; p++) sum += a[i * k + p] * columns[p * n + j]
          expect(c[i * n + j]).toBe(sum)
        }
      }
    }),
  )
})
