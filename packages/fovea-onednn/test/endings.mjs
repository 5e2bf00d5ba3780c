/**
 * @file Programs that end in the middle of native work, each in an environment of its own; lifetime.test.ts starts them.
 * usage: node endings.mjs SCENARIO [TURNS]    As a worker: trains on for ever, and says so after the first step.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { createModel, trainingGraph } from 'fovea'
import { stateNodes } from 'fovea/engine'
import { onednnEngine } from 'fovea-onednn'

/** Of scenarios that are tried again and again. */
const turns = Number(process.argv[3] ?? 3)

const batchSize = 32
const model = createModel('resnet8')
const graph = trainingGraph(model.graph, { batchSize, optimizer: { type: 'sgd' } })
const feeds = {
  image: Float32Array.from({ length: batchSize * 32 * 32 * 3 }, (_, i) => Math.sin(i)),
  label: Int32Array.from({ length: batchSize }, (_, i) => i % 10),
  learningRate: 0.01,
}

async function compiled(threads = 2) {
  const program = await onednnEngine({ threads }).compile(graph)
  for (const { name } of stateNodes(graph)) {
    if (model.weights.has(name)) await program.write(name, model.weights.get(name))
  }
  return program
}

/** Steps without end; `onStep` is told the loss of each. */
async function trainOn(onStep) {
  const program = await compiled()
  for (;;) onStep((await program.run(feeds)).loss[0])
}

/** The losses of some steps. */
async function losses(count) {
  const program = await compiled()
  const all = []
  for (let step = 0; step < count; step++) all.push((await program.run(feeds)).loss[0])
  program.dispose()
  return all
}

/** A worker that does one of `tasks`. */
const start = task => new Worker(new URL(import.meta.url), { workerData: task })
const messageOf = worker =>
  new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })

const tasks = {
  'train on': () => trainOn(loss => parentPort.postMessage(loss)),
  'step, and never look at the result': async () => {
    const program = await compiled()
    program.run(feeds)
    parentPort.postMessage('running')
    for (;;);
  },
  // The step is under way when the worker exits.
  'exit within a step': async () => {
    const program = await compiled()
    program.run(feeds)
    process.exit(3)
  },
  'compile on': async () => {
    for (;;) {
      const program = await compiled()
      parentPort.postMessage('compiled')
      program.run(feeds)
      program.dispose()
    }
  },
  'five losses': async () => parentPort.postMessage(await losses(5)),
}

const scenarios = {
  'a worker is terminated between the end of a step and its continuation': async () => {
    const program = await compiled()
    const worker = start('step, and never look at the result')
    await messageOf(worker)
    await program.run(feeds) // One thread runs all plans in turn: the worker's step has ended, too.
    await worker.terminate()
  },
  'a worker is terminated while it trains': async () => {
    for (let turn = 0; turn < turns; turn++) {
      const worker = start('train on')
      await messageOf(worker)
      await worker.terminate()
    }
  },
  'a worker is terminated while it compiles': async () => {
    for (let turn = 0; turn < turns; turn++) {
      const worker = start('compile on')
      await messageOf(worker)
      await worker.terminate()
    }
  },
  'a worker exits in the middle of a step': async () => {
    for (let turn = 0; turn < turns; turn++) {
      const worker = start('exit within a step')
      const code = await new Promise(resolve => worker.once('exit', resolve))
      if (code !== 3) throw new Error(`exit code ${code}`)
    }
  },
  'a worker that nobody waits for': async () => {
    const worker = start('train on')
    await messageOf(worker)
    worker.unref()
  },
  'workers train while this thread does, and one of them is terminated': async () => {
    const [alone, doomed] = [await losses(5), start('train on')]
    await messageOf(doomed)
    const others = [start('five losses'), start('five losses')].map(messageOf)
    const here = losses(5)
    await doomed.terminate()
    for (const result of await Promise.all([here, ...others])) {
      if (String(result) !== String(alone)) throw new Error(`${result} instead of ${alone}`)
    }
  },
  'the process exits in the middle of a step': async () => {
    const program = await compiled()
    await program.run(feeds)
    program.run(feeds)
    process.exit(0)
  },
  'the process exits while a worker trains': async () => {
    await messageOf(start('train on'))
    process.exit(0)
  },
  'an error that nobody catches, in the middle of a step': async () => {
    process.once('uncaughtExceptionMonitor', () => console.log('done'))
    const program = await compiled()
    program.run(feeds)
    throw new Error('on purpose')
  },
  'programs are forgotten in the middle of a step': async () => {
    for (let turn = 0; turn < 5; turn++) {
      const program = await compiled()
      program.run(feeds)
    }
  },
}

if (isMainThread) {
  const scenario = process.argv[2]
  process.once('exit', () => console.log('done'))
  await scenarios[scenario]()
} else {
  await tasks[workerData]()
}
