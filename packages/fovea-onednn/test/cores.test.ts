/** @file Claims about the number of threads that is taken when none is asked for. */
import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { allowedCores, parseList } from '../src/cores.js'

test('lists of processors are read as Linux writes them', () => {
  expect(parseList('0-2,5')).toEqual([0, 1, 2, 5])
  expect(parseList('7')).toEqual([7])
  for (const nothing of ['', 'none', '3-']) expect(parseList(nothing)).toEqual([])
})

test('there is at least one core, and never more than the process may use', () => {
  expect(allowedCores()).toBeGreaterThanOrEqual(1)
  expect(allowedCores()).toBeLessThanOrEqual(availableParallelism())
})
