/**
 * @file What the memory of this process grows by, in bytes, for leaks.test.ts: `node --expose-gc --max-semi-space-size=1 growth.mjs steps|compilations`.
 * A process of its own: a test runner's grows by tens of MiB for reasons of its own.
 */
import { createModel, trainingGraph } from 'fovea'
import { normalAt, stateNodes } from 'fovea/engine'
import { onednnEngine } from 'fovea-onednn'

const batchSize = 4
const model = createModel('resnet8')
const graph = trainingGraph(model.graph, { batchSize, optimizer: { type: 'sgd', momentum: 0.9 } })
const [height, width] = model.preprocessing.size
const feeds = {
  image: Float32Array.from({ length: batchSize * height * width * 3 }, (_, i) => normalAt(1, i)),
  label: Int32Array.from({ length: batchSize }, (_, i) => i),
  learningRate: 0.001,
}

async function compiled(threads) {
  const plan = await onednnEngine({ threads }).compile(graph)
  for (const { name } of stateNodes(graph)) {
    const values = model.weights.get(name)
    if (values) await plan.write(name, values)
  }
  return plan
}

/** Bytes of the process that are in memory, once all garbage is gone. */
function residentBytes() {
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage().rss
}

const growth = {
  async steps() {
    const plan = await compiled(1)
    // The first ones fill the caches of both engines.
    for (let step = 0; step < 200; step++) await plan.run(feeds)
    const before = residentBytes()
    for (let step = 0; step < 1000; step++) await plan.run(feeds)
    return residentBytes() - before
  },
  async compilations() {
    let before = 0
    for (let turn = 0; turn < 100; turn++) {
      // The first ones fill oneDNN's cache of primitives and the caches of the JavaScript engine.
      if (turn === 40) before = residentBytes()
      const plan = await compiled(2)
      await plan.run(feeds)
      plan.dispose()
    }
    return residentBytes() - before
  },
}

console.log(await growth[process.argv[2]]())
