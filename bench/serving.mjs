#!/usr/bin/env node
/**
 * @file How much `fovea serve` answers, and how fast: clients that ask one photo after another, of a server that batches, of one
 * that takes one image at a time, and of ONNX Runtime behind the same server; and how much of a request is decoding. In turns, so that a
 * busy moment hits each alike.
 * usage: node bench/serving.mjs MODEL PHOTO... [--onnx FILE] [--threads N] [--clients 1,4,16] [--seconds 4] [--turns 3] [--out FILE.json]
 */
import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { defaultEngine, FoveaError } from 'fovea'
import { onednnEngine } from 'fovea-onednn'
import { Budget } from '../packages/fovea-cli/dist/data/budget.js'
import { findRuntime, installRuntime } from '../packages/fovea-cli/dist/export/runtime.js'
import { namedModel } from '../packages/fovea-cli/dist/named-model.js'
import { createApp } from '../packages/fovea-cli/dist/serve/app.js'
import { Batcher } from '../packages/fovea-cli/dist/serve/batcher.js'
import { listen } from '../packages/fovea-cli/dist/serve/listen.js'
import { Metrics } from '../packages/fovea-cli/dist/serve/metrics.js'
import { serveModel } from '../packages/fovea-cli/dist/serve/served-model.js'
import { argumentsOf, fail, positiveNumber, wholeNumber } from './arguments.mjs'

const { values, positionals } = argumentsOf({
  allowPositionals: true,
  options: {
    onnx: { type: 'string' },
    threads: { type: 'string' },
    clients: { type: 'string', default: '1,4,16' },
    seconds: { type: 'string', default: '4' },
    turns: { type: 'string', default: '3' },
    out: { type: 'string' },
  },
})
const [name, ...files] = positionals
if (name === undefined || files.length === 0) fail('usage: node bench/serving.mjs MODEL PHOTO... [--onnx FILE]')
const missing = [...files, ...(values.onnx === undefined ? [] : [values.onnx])].find(file => !existsSync(file))
if (missing !== undefined) fail(`'${missing}' is not there`)
const clientsFile = fileURLToPath(new URL('serving-clients.mjs', import.meta.url))
const model = modelOf(name)
const rounds = wholeNumber('turns', values.turns)
const seconds = positiveNumber('seconds', values.seconds)
const clientCounts = values.clients.split(',').map(count => wholeNumber('clients', count))
const engine =
  values.threads === undefined
    ? await defaultEngine()
    : onednnEngine({ threads: wholeNumber('threads', values.threads) })
const limits = { maxBodyBytes: 2 ** 25, maxRequests: 1024, maxQueue: 1024, maxPixels: 5e7, timeoutSeconds: 60 }

const fovea = maxBatch =>
  serveModel('model', model, { engine, maxBatch, maxDelayMs: 5, maxQueue: 1024, turns: new Budget(1) })
const servers = { batches: await fovea(16), 'one at a time': await fovea(1) }
if (values.onnx !== undefined) servers['ONNX Runtime'] = await onnxRuntime(values.onnx)

function modelOf(name) {
  try {
    return namedModel(name, {}).model
  } catch (error) {
    if (!(error instanceof FoveaError)) throw error
    return fail(error.message)
  }
}

/** The same batches and the same decoding around another engine. */
async function onnxRuntime(file) {
  const runtime = await findRuntime()
  if (typeof runtime === 'string') fail(`${runtime}: ${installRuntime}`)
  const { InferenceSession, Tensor } = runtime
  const session = await InferenceSession.create(file, { intraOpNumThreads: engine.threads })
  const { size, mean, deviation } = model.preprocessing
  const [height, width, channels] = size
  const plane = height * width
  const run = async (images, count) => {
    const input = new Float32Array(images.length)
    for (let n = 0; n < count; n++) {
      for (let c = 0; c < channels; c++) {
        const [scale, shift] = [1 / (255 * deviation[c]), mean[c] / deviation[c]]
        const to = (n * channels + c) * plane
        const from = n * channels * plane + c
        for (let i = 0; i < plane; i++) input[to + i] = images[from + i * channels] * scale - shift
      }
    }
    const feeds = { [session.inputNames[0]]: new Tensor('float32', input, [count, channels, height, width]) }
    const logits = (await session.run(feeds))[session.outputNames[0]].data
    return softmax(logits, logits.length / count)
  }
  const { labels } = model
  return {
    name: 'model',
    labels,
    preprocessing: { size },
    batcher: new Batcher({ batchSizes: [1, 4, 16], run }, { maxDelayMs: 5, maxQueue: 1024 }),
  }
}

function softmax(logits, classes) {
  const rows = Float32Array.from(logits)
  for (let start = 0; start < rows.length; start += classes) {
    const row = rows.subarray(start, start + classes)
    const most = row.reduce((a, b) => Math.max(a, b))
    let sum = 0
    for (let i = 0; i < classes; i++) sum += row[i] = Math.exp(row[i] - most)
    for (let i = 0; i < classes; i++) row[i] /= sum
  }
  return rows
}

/** Clients in a process of their own (serving-clients.mjs), so that they wait for no answer of this one's thread but over the network. */
async function load({ address, clients, seconds }) {
  const before = await spent(address)
  const args = [clientsFile, address, String(clients), String(seconds), ...files]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const after = await spent(address)
  const [requests, decoding, images] = after.map((sum, i) => sum - before[i])
  return { ...JSON.parse(stdout), decodeMs: (1000 * decoding) / images, decodeShare: decoding / requests }
}

/** Seconds in requests and in decoding, and images decoded, so far, as the server's own metrics have them. */
async function spent(address) {
  const text = await (await fetch(`${address}/metrics`)).text()
  const value = name => Number(new RegExp(`^${name}(?:{route="/predict"})? (.+)$`, 'm').exec(text)?.[1] ?? 0)
  return [
    value('fovea_request_duration_seconds_sum'),
    value('fovea_decode_duration_seconds_sum'),
    value('fovea_decode_duration_seconds_count'),
  ]
}

const listening = []
for (const [kind, served] of Object.entries(servers)) {
  const app = createApp([served], { limits, metrics: new Metrics() })
  const { address, close } = await listen(app, '127.0.0.1', 0, 60)
  await load({ address, clients: 4, seconds: 0.5 })
  listening.push({ kind, address, close })
}
const results = []
for (const clients of clientCounts) {
  const turns = new Map(listening.map(({ kind }) => [kind, []]))
  for (let turn = 0; turn < rounds; turn++) {
    for (const { kind, address } of listening) turns.get(kind).push(await load({ address, clients, seconds }))
  }
  for (const [kind, all] of turns) {
    const median = key => all.map(row => row[key]).sort((a, b) => a - b)[all.length >> 1]
    const row = {
      server: kind,
      clients,
      imagesPerSecond: median('imagesPerSecond'),
      p50: median('p50'),
      p99: median('p99'),
      decodeMs: median('decodeMs'),
      decodeShare: median('decodeShare'),
    }
    results.push(row)
    const text = `${row.imagesPerSecond.toFixed(0).padStart(6)} images/s   p50 ${row.p50.toFixed(1)} ms   p99 ${row.p99.toFixed(1)} ms   decoding ${row.decodeMs.toFixed(1)} ms, ${(100 * row.decodeShare).toFixed(0)} %`
    process.stdout.write(`${String(clients).padStart(3)} clients  ${kind.padEnd(14)} ${text}\n`)
  }
}
for (const { close } of listening) await close()
if (values.out !== undefined) {
  const about = { model: name, photos: files.length, engine: engine.description, ...values }
  writeFileSync(values.out, `${JSON.stringify({ ...about, results }, null, 2)}\n`)
}
process.exit(0)
