/** @file Claims about timing rows in turns: as many rounds as asked for, or, where they take long, five at least. */
import { createModel, referenceEngine } from 'fovea'
import { expect, test } from 'vitest'
import { inferences, medianMs } from '../../src/compare/measure.js'
import { planRows } from '../../src/compare/rows.js'
import { StagedProgress } from '../../src/progress.js'

test.each([
  [undefined, 7],
  [3_600_000, 7],
  [0, 5],
])('within %s ms, seven rounds become %s', async (mostMs, rounds) => {
  const model = createModel('resnet8', { classes: 2, input: [8, 8, 3] })
  const names = ['a', 'b']
  const planned = planRows(
    names.map(name => ({ name, model, saved: false })),
    { precisions: ['float32'], seed: 0 },
  )
  const progress = new StagedProgress()
  let updates = 0
  progress.update = () => {
    updates++
  }
  const { signal } = new AbortController()
  const how = { engine: referenceEngine(), steps: 7, signal, progress, ...(mostMs !== undefined && { mostMs }) }
  expect(await medianMs(planned, inferences(1), how)).toHaveLength(2)
  expect(updates).toBe(rounds * names.length)
})
