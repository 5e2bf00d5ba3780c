#!/usr/bin/env node
/**
 * @file What the options of training cost: a step with each beside the plain step, in turns on one machine. An option may cost
 * its arithmetic and no more; fails where a step keeps less of the plain one's speed than it should.
 * usage: node bench/options.mjs [--turns 5] [--rows resnet20,"resnet18 28"]
 */
import { randomFillSync } from 'node:crypto'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { arrayDataset, createModel, prepareQuantization, recipes, trainingGraph } from 'fovea'
import { parameterNodes } from 'fovea/engine'
import { onednnEngine } from 'fovea-onednn'
import { argumentsOf, wholeNumber, wordsOf } from './arguments.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const { timedStep, someMoment, quantiles } = await import(
  pathToFileURL(join(here, '../packages/fovea-cli/dist/benchmark.js')).href
)
const threads = 2

const rows = [
  { model: 'resnet20', size: 32, batch: 128 },
  { model: 'resnet18', size: 28, batch: 32 },
  { model: 'resnet18', size: 224, batch: 16 },
  { model: 'efficientnet-b0', size: 224, batch: 16 },
]

const plain = { optimizer: { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 } }
/**
 * `share`: of the speed of the step that it stands beside, which is the plain one where there is no `beside`.
 * `model`, `besideModel`: where they are others than the row's.
 */
const options = async model => {
  const { normStatistics, average, clipNorm, groups: groupsOf } = recipes.finetune
  const [groups, [first]] = [groupsOf(model), parameterNodes(model.graph)]
  const rounded = await prepared(model, [])
  return [
    { name: 'clip norm 5', share: 0.95, step: { clipNorm: 5 } },
    { name: 'two parts of a batch', share: 0.9, step: { accumulate: 2 } },
    { name: 'moving average', share: 0.9, step: { average: { type: 'moving', decay: 0.99 } } },
    { name: 'lookahead', share: 0.9, step: { average: { type: 'lookahead', every: 5, decay: 0.9, power: 3 } } },
    { name: 'one-hot labels, smoothed', share: 0.95, step: { labels: 'one-hot', labelSmoothing: 0.1 } },
    { name: 'mean squared error', share: 0.95, step: { labels: 'one-hot', loss: 'mean-squared-error' } },
    { name: 'running statistics', share: 0.95, step: { normStatistics: 'running' } },
    { name: 'first layer frozen', share: 0.95, step: { groups: [{ match: first.name, rate: 0 }] } },
    { name: 'adamw', share: 0.9, step: { optimizer: { type: 'adamw' } } },
    { name: 'rmsprop', share: 0.9, step: { optimizer: { type: 'rmsprop' } } },
    {
      name: 'finetune, beside its groups',
      share: 0.9,
      step: { groups, normStatistics, average, clipNorm, labels: 'one-hot', labelSmoothing: 0.1 },
      beside: { groups, normStatistics },
    },
    {
      // Convolutions of float16 compute in float32, between casts. oneDNN has none in float16 on most processors.
      name: 'loss scaling (float16 beside float32)',
      share: 0.9,
      step: { precision: 'mixed_float16' },
    },
    {
      name: 'rounded as integers, beside folded norms',
      share: 0.8,
      step: {},
      model: rounded.model,
      // All but one layer in float32: one at least is rounded.
      besideModel: (
        await prepared(
          model,
          rounded.layers.slice(1).map(layer => layer.name),
        )
      ).model,
    },
  ]
}

const { values: given } = argumentsOf({
  options: { turns: { type: 'string', default: '5' }, rows: { type: 'string', default: '' } },
})
const turns = wholeNumber('turns', given.turns)
const known = rows.flatMap(({ model, size }) => [model, `${model} ${size}`])
const words = given.rows === '' ? [] : wordsOf('rows', given.rows, known)
const chosen = rows.filter(
  ({ model, size }) => words.length === 0 || words.includes(model) || words.includes(`${model} ${size}`),
)

const engine = onednnEngine({ threads })
console.log(engine.description)
let failed = 0
for (const { model: name, size, batch } of chosen) {
  const model = createModel(name, { input: [size, size, 3] })
  console.log(`\n${name}, ${size}×${size}, batch ${batch}`)
  for (const { name: option, share, step, beside = {}, ...models } of await options(model)) {
    const one = await begin(models.besideModel ?? model, batch, beside)
    const other = await begin(models.model ?? model, batch, step)
    const taken = [[], []]
    for (let turn = 0; turn < turns; turn++) {
      for (const [i, run] of [one.run, other.run].entries()) taken[i].push(await run())
    }
    for (const { program } of [one, other]) program.dispose()
    const [before, after] = taken.map(times => quantiles(times)(0.5))
    const kept = before / after
    if (kept < share) failed++
    const numbers = `${before.toFixed(1).padStart(7)} → ${after.toFixed(1).padStart(7)} ms`
    console.log(`${kept < share ? '✗' : ' '} ${kept.toFixed(2)} (≥ ${share.toFixed(2)}) ${numbers}  ${option}`)
  }
}
if (failed > 0) console.log(`\n${failed} below the share that they should keep`)
process.exit(failed > 0 ? 1 : 0)

/** A warm step of a whole batch. */
async function begin(model, batch, more) {
  const { accumulate = 1 } = more
  const graph = trainingGraph(model.graph, { ...plain, batchSize: batch, ...more })
  const { program, feeds } = await timedStep(graph, engine)
  const run = async () => {
    const start = performance.now()
    for (let part = 0; part < accumulate; part++) {
      await program.run({ ...feeds, ...graph.feeds({ ...someMoment, part }) })
    }
    return performance.now() - start
  }
  return { program, run }
}

/** The model, ready to be trained for integers; `keepFloat32`: but for these layers. */
async function prepared(model, keepFloat32) {
  const { size: imageShape } = model.preprocessing
  const pixels = randomFillSync(new Uint8Array(2 * imageShape.reduce((a, b) => a * b)))
  const images = arrayDataset({ name: 'noise', images: pixels, labels: [0, 0], imageShape, classes: model.labels })
  return prepareQuantization(model, { images, keepFloat32, ranges: 'min-max', engine })
}
