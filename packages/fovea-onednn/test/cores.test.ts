/** @file Claims about the number of threads that is taken when none is asked for, and what happens when fewer come. */
import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { describe, expect, test } from 'vitest'
import { allowedCores, parseList } from '../src/cores.js'
import { onednnStatus } from '../src/index.js'

test('lists of processors are read as Linux writes them', () => {
  expect(parseList('0-2,5')).toEqual([0, 1, 2, 5])
  expect(parseList('7')).toEqual([7])
  for (const nothing of ['', 'none', '3-']) expect(parseList(nothing)).toEqual([])
})

test('there is at least one core, and never more than the process may use', () => {
  expect(allowedCores()).toBeGreaterThanOrEqual(1)
  expect(allowedCores()).toBeLessThanOrEqual(availableParallelism())
})

/** A program that trains a step on as many threads as the environment lets it, and prints the loss. */
const program = `
import { createModel, trainingGraph } from 'fovea'
import { stateNodes } from 'fovea/engine'
import { onednnEngine } from 'fovea-onednn'
const engine = onednnEngine()
const model = createModel('resnet8')
const graph = trainingGraph(model.graph, { batchSize: 6, optimizer: { type: 'sgd' } })
const step = await engine.compile(graph)
for (const { name } of stateNodes(graph)) if (model.weights.has(name)) await step.write(name, model.weights.get(name))
const image = Float32Array.from({ length: 6 * 32 * 32 * 3 }, (_, i) => Math.sin(i))
const { loss } = await step.run({ image, label: Int32Array.of(0, 1, 2, 3, 4, 5), learningRate: 0.1 })
console.log(JSON.stringify({ threads: engine.threads, loss: loss[0] }))
`

describe.skipIf(!onednnStatus().available)('OpenMP gives fewer threads than there are cores', () => {
  const step = (env: Record<string, string>): { threads: number; loss: number } => {
    const options = { encoding: 'utf8', cwd: import.meta.dirname, env: { ...process.env, ...env } } as const
    return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', program], options))
  }

  test.each([{ OMP_THREAD_LIMIT: '1' }, { OMP_MAX_ACTIVE_LEVELS: '0' }])('%j: one thread does it all', env => {
    const { threads, loss } = step(env)
    expect(threads).toBe(1)
    expect(loss).toBeCloseTo(step({}).loss, 4)
  })

  test('threads bound to processors are as many as others', () => {
    expect(step({ OMP_PROC_BIND: 'true' })).toEqual(step({}))
  })

  test('a busy machine takes none away from a step, as OMP_DYNAMIC would', () => {
    expect(step({ OMP_DYNAMIC: 'true' })).toEqual(step({}))
  })
})
