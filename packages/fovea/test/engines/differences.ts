/** @file How far an engine is from the reference. */
import { expect } from 'vitest'
import type { Engine } from '../../src/engines/engine.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import type { CaseGraph } from '../ops/cases/case.js'

/** A graph with what it is fed, and what its states hold before, if not zeros. */
export type Given = Pick<CaseGraph, 'graph' | 'feeds'> & { readonly states?: Readonly<Record<string, Float32Array>> }

/** The largest difference of each output, by the size of the output's largest value (at least 1). */
export async function differencesOn(
  engine: Engine,
  { graph, feeds, states = {} }: Given,
): Promise<Record<string, number>> {
  const expected = await referenceEngine({ precision: 'float64' }).compile(graph)
  const actual = await engine.compile(graph)
  for (const [name, values] of Object.entries(states)) {
    for (const program of [expected, actual]) await program.write(name, values)
  }
  const [a, b] = [await expected.run(feeds), await actual.run(feeds)]
  actual.dispose()
  return Object.fromEntries(
    Object.keys(a).map(name => {
      const expectedValues = Float64Array.from(a[name])
      const scale = expectedValues.reduce((most, x) => Math.max(most, Math.abs(x)), 1)
      const error = expectedValues.reduce((most, x, i) => {
        const difference = Math.abs(x - b[name][i])
        return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(most, difference)
      }, 0)
      return [name, error / scale]
    }),
  )
}

export const withinEach = (errors: Record<string, number>, tolerance: number) => {
  for (const [name, error] of Object.entries(errors)) expect(error, name).toBeLessThan(tolerance)
}

/** Half of a unit in the last place of 1: how far rounding moves a number, relatively. */
export const epsilon = { bfloat16: 2 ** -8, float16: 2 ** -11 }
