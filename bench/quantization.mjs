#!/usr/bin/env node
/**
 * @file What quantization costs a trained model, by each way to choose ranges and each number of bits: accuracy, predictions that
 * change, bytes of the file, and what integers do to the time of a batch, measured in turns.
 * usage: node bench/quantization.mjs RUN --data FOLDER [--images 10000] [--batch 32] [--turns 15] [--out FILE.json]
 */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import {
  defaultEngine,
  encodeCheckpoint,
  evaluate,
  evaluationGraph,
  quantizeModel,
  quantizeWeights,
  rangeMethods,
  take,
  weightTypes,
} from 'fovea'
import { timedStep } from '../packages/fovea-cli/dist/benchmark.js'
import { readModel } from '../packages/fovea-cli/dist/checkpoint-file.js'
import { findDataset } from '../packages/fovea-cli/dist/data/index.js'
import { argumentsOf, wholeNumber } from './arguments.mjs'

const { values, positionals } = argumentsOf({
  allowPositionals: true,
  options: {
    data: { type: 'string' },
    images: { type: 'string', default: '10000' },
    batch: { type: 'string', default: '32' },
    turns: { type: 'string', default: '15' },
    out: { type: 'string' },
  },
})
const [run] = positionals
if (run === undefined || values.data === undefined) {
  process.stderr.write('usage: node bench/quantization.mjs RUN --data FOLDER\n')
  process.exit(2)
}

const TRAINING_IMAGES = 512
const model = readModel(run)
const data = await (await findDataset(values.data)).open()
const images = take(data.train, Math.min(TRAINING_IMAGES, data.train.length))
const test = take(data.test, Math.min(wholeNumber('images', values.images), data.test.length))
const engine = await defaultEngine()
const batch = wholeNumber('batch', values.batch)
const turns = wholeNumber('turns', values.turns)

const ways = [['float32', model]]
for (const weightBits of [8, 7]) {
  for (const ranges of rangeMethods) {
    ways.push([
      `int8, ${weightBits} bits, ${ranges}`,
      (await quantizeModel(model, { images, ranges, weightBits })).model,
    ])
  }
}
for (const type of weightTypes) ways.push([`weights in ${type}`, quantizeWeights(model, { type })])

// All in turns, so that a busy moment of the machine hits each alike.
const steps = []
for (const [, one] of ways) steps.push(await timedStep(evaluationGraph(one.graph, batch), engine, one.weights))
const times = ways.map(() => [])
for (let turn = 0; turn < turns; turn++) {
  for (const [i, step] of steps.entries()) times[i].push(await step.run())
}
for (const { program } of steps) program.dispose()

const rows = []
let before
print('| | accuracy | changed | file | images a second |\n| --- | ---: | ---: | ---: | ---: |')
for (const [i, [name, one]] of ways.entries()) {
  const { accuracy, predictions } = await evaluate(one, test)
  before ??= predictions
  const changed = predictions.filter((label, image) => label !== before[image]).length
  const fileBytes = encodeCheckpoint({ model: one }).reduce((sum, { length }) => sum + length, 0)
  const [median, fastest] = [times[i].toSorted((a, b) => a - b)[Math.floor(times[i].length / 2)], Math.min(...times[i])]
  const imagesPerSecond = { median: (1000 * batch) / median, fastest: (1000 * batch) / fastest }
  rows.push({ name, accuracy, changed, fileBytes, imagesPerSecond })
  const speed = `${Math.round(imagesPerSecond.median)} (fastest ${Math.round(imagesPerSecond.fastest)})`
  print(`| ${name} | ${(100 * accuracy).toFixed(2)} % | ${changed} | ${fileBytes.toLocaleString('en')} | ${speed} |`)
}
if (values.out) {
  const result = {
    command: `node bench/quantization.mjs ${process.argv.slice(2).join(' ')}`,
    machine: cpus()[0].model.trim(),
    model: model.name,
    engine: engine.description,
    batch,
    images: test.length,
    trainingImages: images.length,
  }
  writeFileSync(values.out, `${JSON.stringify({ ...result, rows }, null, 2)}\n`)
}
process.exit(0)

function print(line) {
  process.stdout.write(`${line}\n`)
}
