/** @file The memory plan never lets two living buffers overlap, and is as small as it can be where that is known. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planMemory } from '../../src/passes/plan-memory.js'

const lifetime = fc
  .record({ bytes: fc.integer({ min: 0, max: 10_000 }), first: fc.nat(40), length: fc.nat(12) })
  .map(({ bytes, first, length }) => ({ bytes, first, last: first + length }))

test('buffers that live at the same time never overlap; offsets are aligned and inside the arena', () => {
  fc.assert(
    fc.property(fc.array(lifetime, { maxLength: 60 }), lifetimes => {
      const { offsets, arenaBytes } = planMemory(lifetimes)
      lifetimes.forEach((a, i) => {
        expect(offsets[i] % 64).toBe(0)
        expect(offsets[i] + a.bytes).toBeLessThanOrEqual(arenaBytes)
        lifetimes.slice(0, i).forEach((b, j) => {
          const together = a.first <= b.last && b.first <= a.last && a.bytes > 0 && b.bytes > 0
          if (together) expect(offsets[i] >= offsets[j] + b.bytes || offsets[j] >= offsets[i] + a.bytes).toBe(true)
        })
      })
    }),
  )
})

test('a chain of equal layers needs two buffers', () => {
  const chain = Array.from({ length: 20 }, (_, i) => ({ bytes: 640, first: i, last: i + 1 }))
  expect(planMemory(chain).arenaBytes).toBe(1280)
})
