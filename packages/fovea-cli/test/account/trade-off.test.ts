/** @file Claims about the Pareto front: what is on it is beaten by nothing, and what is not, by something that is. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frontOf, pointName } from '../../src/account/trade-off.js'

interface Point {
  readonly cost: number
  readonly gain: number
}

/** Small numbers, so that many are equal. */
const points = fc.array(fc.record({ cost: fc.nat(8), gain: fc.nat(8) }), { maxLength: 20 })

const front = (all: readonly Point[]): Point[] => frontOf(all, point => point)

const beats = (a: Point, b: Point): boolean =>
  a.cost <= b.cost && a.gain >= b.gain && (a.cost < b.cost || a.gain > b.gain)

test('nothing beats what is on the front; something on it beats all else', () => {
  fc.assert(
    fc.property(points, all => {
      const best = front(all)
      for (const one of best) for (const other of all) expect(beats(other, one)).toBe(false)
      const others = all.filter(one => !best.includes(one))
      for (const other of others) expect(best.some(one => beats(one, other))).toBe(true)
    }),
  )
})

test('the front of some points is not empty, keeps their order, and is its own front', () => {
  fc.assert(
    fc.property(points, all => {
      const best = front(all)
      expect(best.length > 0).toBe(all.length > 0)
      expect(best).toEqual(all.filter(one => best.includes(one)))
      expect(front(best)).toEqual(best)
    }),
  )
})

test('along the front, more accuracy costs more', () => {
  fc.assert(
    fc.property(points, all => {
      const best = [...front(all)].sort((a, b) => a.cost - b.cost)
      for (const [i, { gain, cost }] of best.entries()) {
        if (i > 0 && cost > best[i - 1].cost) expect(gain).toBeGreaterThan(best[i - 1].gain)
        else if (i > 0) expect(gain).toBe(best[i - 1].gain)
      }
    }),
  )
})

test('points are called by what was done to them', () => {
  expect(pointName({ amount: 0, integers: false })).toBe('original')
  expect(pointName({ amount: 0.36, integers: true })).toBe('36 % removed, in integers')
})
