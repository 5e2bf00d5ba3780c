/** @file A long training and many compilations keep the memory of the process flat. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createModel, trainingGraph } from 'fovea'
import { normalAt, type Program, stateNodes } from 'fovea/engine'
import { describe, expect, test } from 'vitest'
import { onednnEngine, onednnStatus } from '../src/index.js'

/** What the process may grow by: garbage that is collected late. Steps that kept their images would add 19 MiB and more. */
const toleranceBytes = 16 * 2 ** 20

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes of the process that are in memory, once all garbage is gone. */
function residentBytes(): number {
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().rss
}

describe.skipIf(!onednnStatus().available)('resident memory', () => {
  const batchSize = 4
  const model = createModel('resnet8')
  const graph = trainingGraph(model.graph, { batchSize, optimizer: { type: 'sgd', momentum: 0.9 } })
  const [height, width] = model.preprocessing.size
  const feeds = {
    image: Float32Array.from({ length: batchSize * height * width * 3 }, (_, i) => normalAt(1, i)),
    label: Int32Array.from({ length: batchSize }, (_, i) => i),
    learningRate: 0.001,
  }

  async function compiled(threads: number): Promise<Program> {
    const plan = onednnEngine({ threads }).compile(graph)
    for (const { name } of stateNodes(graph)) {
      const values = model.weights.get(name)
      if (values) await plan.write(name, values)
    }
    return plan
  }

  test('stays as it is over 600 steps', async () => {
    const plan = await compiled(1)
    // The first ones let the JavaScript engine's young generation grow to its full size.
    for (let step = 0; step < 200; step++) await plan.run(feeds)
    const before = residentBytes()
    // The JavaScript engine takes 17 MiB for a moment now and then, and gives them back; what leaks is there each time.
    const grown: number[] = []
    for (let step = 1; step <= 600; step++) {
      await plan.run(feeds)
      if (step >= 400 && step % 50 === 0) grown.push(residentBytes() - before)
    }
    expect(Math.min(...grown)).toBeLessThan(toleranceBytes)
    plan.dispose()
  })

  test('stays as it is over 60 compilations, each run and disposed of', async () => {
    // The first ones fill oneDNN's cache of primitives and the caches of the JavaScript engine.
    let before = 0
    const grown: number[] = []
    for (let turn = 0; turn < 100; turn++) {
      if (turn === 40) before = residentBytes()
      const plan = await compiled(2)
      await plan.run(feeds)
      plan.dispose()
      if (turn >= 80 && turn % 5 === 4) grown.push(residentBytes() - before)
    }
    expect(Math.min(...grown)).toBeLessThan(toleranceBytes)
  })
})
