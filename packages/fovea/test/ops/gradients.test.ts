/** @file Every operator's gradient against central differences, in float64 on the reference engine. */

import { describe, expect, test } from 'vitest'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { runOnce } from '../engines/run-once.js'
import { caseGraph, operatorCases, someIndices } from './cases/index.js'

const step = 1e-6
const absolute = 1e-5
const relative = 1e-3
/** Elements of each input that are checked; each takes two runs. */
const checked = 16

const engine = referenceEngine({ precision: 'float64' })
const differentiable = operatorCases.filter(sample => sample.differentiable.length > 0)

describe.each([...new Set(differentiable.map(sample => sample.op))])('%s', op => {
  test.each(differentiable.filter(sample => sample.op === op))('$name', async sample => {
    const withGradient = caseGraph(sample)
    const present = sample.differentiable.filter(i => i < sample.inputs.length)
    expect(withGradient.gradients.flatMap((value, i) => (value === undefined ? [] : [i]))).toEqual(present)
    const analytic = await runOnce(engine, withGradient.graph, withGradient.feeds)

    const forward = await engine.compile(caseGraph(sample, { gradient: false }).graph)
    const { dy, ...feeds } = withGradient.feeds
    const loss = async (name: string, values: Float64Array): Promise<number> => {
      const { out0 } = await forward.run({ ...feeds, [name]: values })
      return Array.from(out0).reduce((sum, y, i) => sum + y * dy[i], 0)
    }
    for (const input of present) {
      const name = `in${input}`
      const values = Float64Array.from(feeds[name])
      const gradient = analytic[`gradient${input}`]
      expect(gradient.length).toBe(values.length)
      for (const i of someIndices(values.length, checked, sample.name)) {
        const up = await loss(name, values.with(i, values[i] + step))
        const down = await loss(name, values.with(i, values[i] - step))
        const numeric = (up - down) / (2 * step)
        const error = Math.abs(gradient[i] - numeric)
        expect(error, `${name}[${i}]: analytic ${gradient[i]}, numeric ${numeric}`).toBeLessThan(
          absolute + relative * Math.abs(numeric),
        )
      }
    }
  })
})
