#!/usr/bin/env node
/**
 * @file The engine in WebAssembly beside its peers, in turns: a training step beside oneDNN's, inference beside ONNX Runtime and
 * TensorFlow.js, both in WebAssembly too. Weights are random; what a peer computes is compared with ours first. Shown are the median and
 * the fastest.
 * usage: node bench/wasm.mjs [--peers FOLDER] [--threads 1] [--turns 9] [--rows train,infer,memory,jax-js] [--models NAME,…]
 *          [--simd plain] [--clock processor] [--out FILE.json]
 *   --rows   default: train,infer. memory: the most that a process takes which trains. jax-js: a training step of it, which takes
 *            minutes, and is measured once, after its first, in which it compiles
 *   --clock  processor: what the process's threads computed, which other work on the machine changes less; one thread only
 *   --peers  where `npm install onnxruntime-web @tensorflow/tfjs-core @tensorflow/tfjs-backend-wasm @jax-js/jax` was run; without it, ours
 *            alone
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createModel, encodeOnnx, evaluationGraph, initialWeights } from 'fovea'
import { onednnEngine } from 'fovea-onednn'
import { simdVariants, wasmEngine } from 'fovea-wasm'
import { benchmarkGraph, timedStep } from '../packages/fovea-cli/dist/benchmark.js'
import { argumentsOf, fail, wholeNumber, wordsOf } from './arguments.mjs'
import { jaxTrainer } from './peers/jax-js.mjs'
import { tfjsForward } from './peers/tfjs-wasm.mjs'

const { values } = argumentsOf({
  options: {
    peers: { type: 'string' },
    threads: { type: 'string', default: '1' },
    turns: { type: 'string', default: '9' },
    rows: { type: 'string', default: 'train,infer' },
    models: { type: 'string' },
    simd: { type: 'string' },
    clock: { type: 'string' },
    out: { type: 'string' },
  },
})
const threads = wholeNumber('threads', values.threads)
const turns = wholeNumber('turns', values.turns)
const clock = values.clock === 'processor' ? processorMs : () => performance.now()
const [simd] = values.simd === undefined ? [] : wordsOf('simd', values.simd, simdVariants)
const engine = wasmEngine({ threads, ...(simd && { simd }) })
const native = onednnEngine({ threads })
const require = values.peers && createRequire(join(resolve(values.peers), 'here.js'))

const trained = [
  { name: 'resnet20', batch: 128 },
  { name: 'resnet8', batch: 64 },
  { name: 'efficientnet-b0', batch: 16 },
]
const all = [
  ...trained.map(row => ({ mode: 'train', ...row })),
  ...['resnet50', 'efficientnet-b0'].flatMap(name => [1, 16].map(batch => ({ mode: 'infer', name, batch }))),
  ...trained.map(row => ({ mode: 'memory', ...row })),
  { mode: 'jax-js', ...trained[0] },
]
const modes = wordsOf(
  'rows',
  values.rows,
  all.map(({ mode }) => mode),
)
const models =
  values.models &&
  wordsOf(
    'models',
    values.models,
    all.map(({ name }) => name),
  )
const workloads = all.filter(({ mode, name }) => modes.includes(mode) && (!models || models.includes(name)))

const peers = values.peers ? ['onnxruntime-web', '@tensorflow/tfjs-backend-wasm'].map(versioned) : []
const about = [
  `${cpus()[0].model.trim()}, Node ${process.versions.node}`,
  engine.description,
  native.description,
  ...peers,
]
for (const line of about) print(line)
print('\n| workload | by | ms: median (fastest) | × its time in ours |\n| --- | --- | ---: | ---: |')

const rows = []
for (const { mode, name, batch } of workloads) {
  if (mode === 'memory') {
    memoryRows(name, batch)
    continue
  }
  const created = createModel(name)
  const model = { ...created, weights: initialWeights(created.graph, 0) }
  const timed = await { train: trainers, infer: inferrers, 'jax-js': besideJax }[mode](model, batch)
  for (let turn = 0; turn < (mode === 'jax-js' ? 1 : turns); turn++) {
    for (const one of timed) {
      const start = clock()
      await one.run()
      one.times.push(clock() - start)
    }
  }
  const [ours] = timed
  for (const { by, times, end } of timed) {
    await end?.()
    const ratio = `${(median(times) / median(ours.times)).toFixed(2)} (${(least(times) / least(ours.times)).toFixed(2)})`
    print(
      `| ${mode} ${name}, batch ${batch} | ${by} | ${median(times).toFixed(1)} (${least(times).toFixed(1)}) | ${ratio} |`,
    )
    rows.push({ mode, name, batch, by, medianMs: median(times), fastestMs: least(times) })
  }
}
print(`\nload at the end: ${loadavg()[0].toFixed(1)}`)
if (values.out !== undefined)
  writeFileSync(values.out, `${JSON.stringify({ about, threads, clock: values.clock ?? 'wall', rows }, null, 1)}\n`)
process.exit(0) // threads of the peers wait

/** A peer's name with its version. */
function versioned(name) {
  const path = join(values.peers, 'node_modules', name, 'package.json')
  if (!existsSync(path)) fail(`--peers: ${name} is not installed in '${values.peers}' (npm install ${name} there)`)
  const { version } = JSON.parse(readFileSync(path, 'utf8'))
  return `${name} ${version}`
}

async function trainers(model, batch) {
  const timed = []
  for (const [by, on] of [
    ['fovea-wasm', engine],
    ['oneDNN', native],
  ]) {
    const graph = benchmarkGraph(model, { mode: 'train', batch, precision: 'float32' })
    const { run, program } = await timedStep(graph, on)
    timed.push({ by, run, end: () => program.dispose(), times: [] })
  }
  return timed
}

/** What a process that trains, of two steps after two that are not counted, has taken at most. */
function memoryRows(name, batch) {
  const fovea = fileURLToPath(new URL('../packages/fovea-cli/bin/fovea.mjs', import.meta.url))
  const taken = ['wasm', 'onednn'].map(engine => {
    const words = ['bench', name, '--batch', batch, '--engine', engine, '--threads', threads, '--steps', 2, '--json']
    const peakBytes = JSON.parse(execFileSync(process.execPath, [fovea, ...words.map(String)])).peakMemoryBytes
    return { by: engine === 'wasm' ? 'fovea-wasm' : 'oneDNN', peakBytes }
  })
  for (const { by, peakBytes } of taken) {
    const ratio = (peakBytes / taken[0].peakBytes).toFixed(2)
    print(`| memory of training ${name}, batch ${batch} | ${by} | ${(peakBytes / 2 ** 20).toFixed(0)} MiB | ${ratio} |`)
    rows.push({ mode: 'memory', name, batch, by, peakBytes })
  }
}

/** A training step of ours, and one of jax-js from the same weights, whose first loss is ours. */
async function besideJax(model, batch) {
  const { run, program, feeds } = await timedStep(
    benchmarkGraph(model, { mode: 'train', batch, precision: 'float32' }),
    engine,
    model.weights,
  )
  const timed = [{ by: 'fovea-wasm', run, end: () => program.dispose(), times: [] }]
  if (!require) return timed
  for (const [name, values] of model.weights) await program.write(name, values)
  const {
    loss: [loss],
  } = await program.run(feeds)
  const theirFeeds = {
    image: planesOf(feeds.image, model.preprocessing.size),
    label: feeds.label,
    learningRate: feeds.learningRate,
  }
  const optimizer = { momentum: 0.9, weightDecay: 5e-4 }
  const peer = await jaxTrainer(require('@jax-js/jax'), model.graph, model.weights, theirFeeds, optimizer)
  const theirs = await peer()
  if (!(Math.abs(theirs - loss) < 1e-4 * loss)) throw new Error(`jax-js: its loss is ${theirs}, ours ${loss}`)
  timed.push({ by: 'jax-js', run: peer, times: [] })
  return timed
}

async function inferrers(model, batch) {
  const graph = evaluationGraph(model.graph, batch)
  const { run, program, feeds } = await timedStep(graph, engine, model.weights)
  const timed = [{ by: 'fovea-wasm', run, end: () => program.dispose(), times: [] }]
  if (!require) return timed
  const { logits } = await program.run(feeds)
  const { image } = feeds
  for (const [by, peer] of [
    ['ONNX Runtime', await onnxRuntime(model, batch, image)],
    ['TensorFlow.js', await tfjsForward(require, graph, model.weights, image, threads)],
  ]) {
    const theirs = await peer()
    const most = logits.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const apart = logits.reduce((far, value, i) => Math.max(far, Math.abs(value - theirs[i])), 0)
    if (!(apart < 1e-3 * most)) throw new Error(`${by}: its logits are ${apart} from ours, of ${most} at most`)
    await peer()
    timed.push({ by, run: peer, times: [] })
  }
  return timed
}

/** Our export of a model, run by ONNX Runtime in WebAssembly. */
async function onnxRuntime(model, batch, image) {
  const ort = require('onnxruntime-web')
  ort.env.wasm.numThreads = threads
  const session = await ort.InferenceSession.create(Buffer.concat(encodeOnnx(model)), { executionProviders: ['wasm'] })
  const [height, width, channels] = model.preprocessing.size
  const planes = planesOf(image, [height, width, channels])
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', planes, [batch, channels, height, width]) }
  return async () => (await session.run(feeds))[session.outputNames[0]].data
}

/** Images as planes of channels. */
function planesOf(images, [height, width, channels]) {
  const planes = new Float32Array(images.length)
  for (let i = 0; i < images.length; i++) {
    const [pixel, channel] = [Math.floor(i / channels), i % channels]
    const [n, place] = [Math.floor(pixel / (height * width)), pixel % (height * width)]
    planes[(n * channels + channel) * height * width + place] = images[i]
  }
  return planes
}

function processorMs() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function median(times) {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]
}

function least(times) {
  return Math.min(...times)
}

function print(text) {
  process.stdout.write(`${text}\n`)
}
