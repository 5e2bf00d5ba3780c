/** @file Claims about what training holds: masters, copies and slots are those of the step that runs. */
import { describe, expect, test } from 'vitest'
import { createModel } from '../../src/models/registry.js'
import { summarize } from '../../src/models/summary.js'
import type { OptimizerOptions } from '../../src/train/optimizers/index.js'
import { resolveSettings } from '../../src/train/settings.js'
import { trainingBytes } from '../../src/train/training-bytes.js'

const model = createModel('efficientnet-b0', { input: [32, 32, 3] })
const { parameters } = summarize(model)
const momentum: OptimizerOptions = { type: 'sgd', momentum: 0.9 }

test.each<[string, OptimizerOptions, number]>([
  ['SGD with momentum', momentum, 1],
  ['plain SGD', { type: 'sgd' }, 0],
  ['Adam', { type: 'adam' }, 2],
])('%s has so many slots a parameter', (_, optimizer, slots) => {
  const bytes = trainingBytes(model, { batchSize: 2, optimizer })
  const [masters, held] = [4 * parameters, 4 * parameters * (1 + slots)]
  expect(bytes).toEqual({ total: held, masters, copies: 0, slots: 4 * parameters * slots })
})

describe.each([
  ['mixed_bfloat16', 'bfloat16'],
  ['mixed_float16', 'float16'],
] as const)('%s', (precision, half) => {
  test('holds a float32 master of every parameter, and a copy of what layers read in 16 bits', () => {
    const bytes = trainingBytes(model, { batchSize: 2, optimizer: momentum, precision })
    const { bytes: read } = summarize(model, { precision })
    expect(bytes.masters).toBe(4 * parameters)
    expect(bytes.copies).toBe(read[half])
    expect(bytes.total).toBe(bytes.masters + bytes.copies + bytes.slots)
  })
})

test('an average of the weights is a slot, running statistics included', () => {
  const settings = resolveSettings(createModel('speednet'), 1000, { recipe: 'fast', batchSize: 8 })
  const withAverage = trainingBytes(createModel('speednet'), settings)
  const { average: _, ...rest } = settings
  expect(settings.average).toBeDefined()
  expect(withAverage.slots).toBeGreaterThan(trainingBytes(createModel('speednet'), rest).slots)
})
