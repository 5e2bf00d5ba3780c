#!/usr/bin/env node
/**
 * @file What integers do to the speed of inference: each model in float32 and in int8 by us and by ONNX Runtime, which runs the same
 * model as we export it (float32, and int8 as QDQ). Weights are random. All take turns; shown are the median and the fastest.
 * usage: node bench/integers.mjs [--models resnet18,resnet50,efficientnet-b0] [--batch 16] [--turns 15] [--out FILE.json]
 *          [--wasm [--threads 1] [--simd plain]]
 *   --wasm  our engine in WebAssembly, alone
 */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import {
  arrayDataset,
  createModel,
  defaultEngine,
  encodeOnnx,
  evaluationGraph,
  initialWeights,
  modelNames,
  quantizeModel,
} from 'fovea'
import { onednnStatus } from 'fovea-onednn'
import { simdVariants, wasmEngine } from 'fovea-wasm'
import { timedStep } from '../packages/fovea-cli/dist/benchmark.js'
import { findRuntime } from '../packages/fovea-cli/dist/export/runtime.js'
import { argumentsOf, wholeNumber, wordsOf } from './arguments.mjs'

const { values } = argumentsOf({
  options: {
    models: { type: 'string', default: 'resnet18,resnet50,efficientnet-b0' },
    batch: { type: 'string', default: '16' },
    turns: { type: 'string', default: '15' },
    out: { type: 'string' },
    wasm: { type: 'boolean', default: false },
    threads: { type: 'string', default: '1' },
    simd: { type: 'string' },
  },
})
const [batch, turns] = [wholeNumber('batch', values.batch), wholeNumber('turns', values.turns)]
const models = wordsOf('models', values.models, modelNames)
const CALIBRATION_IMAGES = 8

const [simd] = values.simd === undefined ? [] : wordsOf('simd', values.simd, simdVariants)
const engine = values.wasm
  ? wasmEngine({ threads: wholeNumber('threads', values.threads), ...(simd && { simd }) })
  : await defaultEngine()
const runtime = values.wasm ? 'ONNX Runtime is left out' : await findRuntime()
const about = [
  `${cpus()[0].model.trim()}, ${engine.threads} threads; Node ${process.versions.node}`,
  values.wasm ? engine.description : onednnStatus().detail,
  typeof runtime !== 'string'
    ? `ONNX Runtime ${runtime.env.versions.node}`
    : `${runtime}${values.wasm ? '' : ' (npm install --no-save onnxruntime-node)'}`,
]
for (const line of about) print(line)
print(`\n| batch ${batch} | ms: median (fastest) | images/s | × our float32 |\n| --- | ---: | ---: | ---: |`)

const rows = []
for (const name of models) {
  const created = createModel(name)
  const model = { ...created, weights: initialWeights(created.graph, 0) }
  const { model: integers } = await quantizeModel(model, { images: noiseImages(model), engine })
  const timed = []
  for (const [type, one] of [
    ['float32', model],
    ['int8', integers],
  ]) {
    const step = await timedStep(evaluationGraph(one.graph, batch), engine, one.weights)
    timed.push({ name: `${name}, ${type}`, run: step.run, end: () => step.program.dispose(), times: [] })
  }
  if (typeof runtime !== 'string') {
    for (const [type, one] of [
      ['float32', model],
      ['int8', integers],
    ]) {
      timed.push(await runtimeStep(`${name}, ${type}, ONNX Runtime`, one))
    }
  }
  for (let turn = 0; turn < turns; turn++) for (const one of timed) one.times.push(await one.run())
  for (const one of timed) await one.end()
  const floatMs = median(timed[0].times)
  for (const { name, times } of timed) {
    const [medianMs, fastestMs] = [median(times), Math.min(...times)]
    rows.push({ name, batch, medianMs, fastestMs })
    const ratio = `${(floatMs / medianMs).toFixed(2)} (${(Math.min(...timed[0].times) / fastestMs).toFixed(2)})`
    print(
      `| ${name} | ${medianMs.toFixed(1)} (${fastestMs.toFixed(1)}) | ${Math.round((1000 * batch) / medianMs)} | ${ratio} |`,
    )
  }
}
if (values.out !== undefined) {
  const command = `node bench/integers.mjs ${process.argv.slice(2).join(' ')}`
  writeFileSync(values.out, `${JSON.stringify({ command, about, rows }, null, 2)}\n`)
}

/** Our export of a model, in ONNX Runtime, as a step like ours. */
async function runtimeStep(name, model) {
  const session = await runtime.InferenceSession.create(Buffer.concat(encodeOnnx(model)), {
    intraOpNumThreads: engine.threads,
    interOpNumThreads: 1,
  })
  const [height, width, channels] = model.preprocessing.size
  const shape = [batch, channels, height, width]
  const pixels = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i))
  const feeds = { [session.inputNames[0]]: new runtime.Tensor('float32', pixels, shape) }
  const run = async () => {
    const start = performance.now()
    await session.run(feeds)
    return performance.now() - start
  }
  for (let i = 0; i < 3; i++) await run()
  return { name, run, end: () => session.release(), times: [] }
}

function noiseImages({ labels: classes, preprocessing: { size } }) {
  const images = new Uint8Array(CALIBRATION_IMAGES * size.reduce((a, b) => a * b))
  for (let i = 0; i < images.length; i++) images[i] = (Math.imul(i, 2654435761) >>> 16) & 255
  const labels = new Int32Array(CALIBRATION_IMAGES)
  return arrayDataset({ images, labels, imageShape: size, classes })
}

function median(times) {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]
}

function print(text) {
  process.stdout.write(`${text}\n`)
}
