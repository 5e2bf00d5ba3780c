#!/usr/bin/env node
/**
 * @file What the criteria of pruning are worth: the accuracy of a trained model without a part of its channels, or of its
 * weights, by each criterion, before any training; `random` is what each must beat.
 * usage: node bench/pruning.mjs RUN --data FOLDER [--amounts 0.2,0.4] [--multiple-of 4] [--images 2000] [--out FILE.json]
 */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import {
  connectionsOf,
  criteria,
  evaluate,
  graphMultiplyAdds,
  pruneChannels,
  pruneWeights,
  scopes,
  take,
  weightCriteria,
} from 'fovea'
import { readModel } from '../packages/fovea-cli/dist/checkpoint-file.js'
import { findDataset } from '../packages/fovea-cli/dist/data/index.js'
import { argumentsOf, wholeNumber } from './arguments.mjs'

const { values, positionals } = argumentsOf({
  allowPositionals: true,
  options: {
    data: { type: 'string' },
    amounts: { type: 'string', default: '0.2,0.4' },
    'multiple-of': { type: 'string', default: '4' },
    images: { type: 'string', default: '2000' },
    out: { type: 'string' },
  },
})
const [run] = positionals
if (run === undefined || values.data === undefined) {
  process.stderr.write('usage: node bench/pruning.mjs RUN --data FOLDER\n')
  process.exit(2)
}

/** Chance has good days and bad ones. */
const SEEDS = { random: [0, 1, 2] }
const TRAINING_IMAGES = 1024

const model = readModel(run)
const data = await (await findDataset(values.data)).open()
const images = take(data.train, Math.min(TRAINING_IMAGES, data.train.length))
const test = take(data.test, Math.min(wholeNumber('images', values.images), data.test.length))
const amounts = values.amounts.split(',').map(Number)

const units = [
  ['channels', criteria, options => pruneChannels(model, { ...options, multipleOf: Number(values['multiple-of']) })],
  ['weights', weightCriteria, options => pruneWeights(model, options)],
]
const accuracyOf = async one => (await evaluate(one, test)).accuracy
const whole = await accuracyOf(model)
const rows = []
const head = `| what goes | by | scope | ${amounts.map(amount => `${Math.round(100 * amount)} %`).join(' | ')} |`
print(`The whole model: ${percent(whole)} of ${test.length} images.\n\n${head}`)
print(`| --- | --- | --- | ${amounts.map(() => '---:').join(' | ')} |`)
for (const [unit, names, prune] of units) {
  for (const scope of scopes) {
    for (const importance of names) {
      const accuracies = []
      const gone = []
      for (const amount of amounts) {
        const seeds = SEEDS[importance] ?? [0]
        const pruned = []
        for (const seed of seeds) pruned.push((await prune({ amount, importance, scope, images, seed })).model)
        const found = []
        for (const one of pruned) found.push(await accuracyOf(one))
        accuracies.push(meanOf(found))
        gone.push(meanOf(pruned.map(one => partGone(unit, one))))
      }
      rows.push({ unit, importance, scope, accuracies, gone })
      print(`| ${unit} | ${importance} | ${scope} | ${accuracies.map(percent).join(' | ')} |`)
    }
  }
}
if (values.out) {
  const result = {
    command: `node bench/pruning.mjs ${process.argv.slice(2).join(' ')}`,
    machine: cpus()[0].model.trim(),
    model: model.name,
    images: test.length,
    trainingImages: images.length,
    amounts,
    accuracy: whole,
    rows,
  }
  writeFileSync(values.out, `${JSON.stringify({ ...result, multipleOf: Number(values['multiple-of']) }, null, 2)}\n`)
}
process.exit(0)

function meanOf(numbers) {
  return numbers.reduce((sum, x) => sum + x, 0) / numbers.length
}

/** Of the multiply-adds, or of the weights: what a criterion is worth is compared where as much goes. */
function partGone(unit, pruned) {
  if (unit === 'channels') return 1 - graphMultiplyAdds(pruned.graph) / graphMultiplyAdds(model.graph)
  const layers = connectionsOf(pruned)
  return 1 - layers.reduce((sum, { kept }) => sum + kept, 0) / layers.reduce((sum, { weights }) => sum + weights, 0)
}

function percent(fraction) {
  return `${(100 * fraction).toFixed(1)} %`
}

function print(line) {
  process.stdout.write(`${line}\n`)
}
