/** @file Claims about what `fovea demo` finds time for. */
import { expect, test } from 'vitest'
import { planOf } from '../src/commands/demo.js'

test.each([
  ['a fast engine', 1_000_000, { epochs: 12, limit: 10_000, batch: 64 }],
  ['WebAssembly on two cores', 41_000, { epochs: 5, limit: 8200, batch: 64 }],
  ['the reference engine', 700, { epochs: 3, limit: 230, batch: 16 }],
])('%s', (_, passes, plan) => expect(planOf(passes)).toMatchObject(plan))

test('no plan takes longer than there is time for, nor leaves much of it', () => {
  for (let passes = 100; passes < 120_000; passes = Math.ceil(passes * 1.01)) {
    const { epochs, limit } = planOf(passes)
    const part = (epochs * limit) / passes
    expect(part, `${passes}`).toBeGreaterThan(0.9)
    expect(part, `${passes}`).toBeLessThan(1.05)
  }
})
