#!/usr/bin/env node
/**
 * @file What trainings came to: gathers the small files of finished runs, and writes a table of means over seeds and the
 * curves beside them. Reported is the last epoch, never the best one; a spread needs at least two seeds.
 * usage: node bench/accuracy.mjs [--out docs/results] RUN...
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { defaultRecipe } from 'fovea'
import { curves } from '../packages/fovea-cli/dist/reports/curves.js'
import { document, text } from '../packages/fovea-cli/dist/reports/svg.js'
import { argumentsOf, fail } from './arguments.mjs'

const { values, positionals } = argumentsOf({
  allowPositionals: true,
  options: { out: { type: 'string', default: 'docs/results' } },
})
const { out } = values
const files = ['run.json', 'metrics.jsonl', 'results.json']

for (const folder of positionals) {
  const missing = files.find(file => !existsSync(join(folder, file)))
  if (missing) fail(`'${folder}' has no ${missing}: only a run that came to its end counts`)
  const { request, settings } = read(folder, 'run.json')
  const name = [request.model, settings.precision, `${epochsOf(folder)}-epochs`, `seed-${request.seed}`].join('-')
  mkdirSync(join(out, name), { recursive: true })
  for (const file of files) copyFileSync(join(folder, file), join(out, name, file))
}

const runs = readdirSync(out, { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .map(({ name }) => runIn(join(out, name)))
  .sort((a, b) => a.key.localeCompare(b.key, 'en', { numeric: true }) || a.seed - b.seed)
if (runs.length === 0) fail(`no runs: name the folders of some`)
const groups = [...new Set(runs.map(({ key }) => key))].map(key => runs.filter(run => run.key === key))

const head = [
  '| model | recipe | precision | epochs | seeds | accuracy | with views | parameters |',
  '| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |',
]
const rows = groups.map(group => {
  const [{ model, recipe, precision, epochs, parameters }] = group
  const augmented = group.map(run => run.augmented).filter(value => value !== undefined)
  return `| ${[
    `\`${model}\``,
    `\`${recipe}\``,
    precision,
    epochs,
    group.map(({ seed }) => seed).join(', '),
    `**${spread(group.map(({ accuracy }) => accuracy))}**`,
    augmented.length === group.length ? spread(augmented) : '',
    parameters.toLocaleString('en-US'),
  ].join(' | ')} |`
})
const table = [...head, ...rows].join('\n')
console.log(table)
replacePart(join(out, 'README.md'), table)
writeFileSync(join(out, 'curves.svg'), `${picture()}\n`)

function runIn(folder) {
  const { request, settings, model, software, machine } = read(folder, 'run.json')
  const { augmentedAccuracy } = read(folder, 'results.json')
  const lines = epochLines(folder)
  const accuracy = lines.at(-1).validationAccuracy
  const recipe = request.recipe ?? defaultRecipe(request.model)
  const { precision } = settings
  const epochs = lines.length
  return {
    key: [request.model, recipe, precision, epochs].join(' '),
    ...{ model: request.model, recipe, precision, epochs, seed: request.seed, parameters: model.parameters },
    ...{ accuracy, augmented: augmentedAccuracy, software, machine, folder: basename(folder) },
    curve: lines.map(({ validationAccuracy }) => validationAccuracy),
  }
}

/** Held-out accuracy by epoch: a line for each model and precision, the mean over its seeds. */
function picture() {
  const palette = ['#0969da', '#d4700a', '#1a7f37', '#8250df', '#cf222e', '#656d76']
  const series = groups.map((group, i) => ({
    name: `${group[0].model}, ${group[0].epochs} epochs, ${group[0].precision}`,
    color: palette[i % palette.length],
    values: group[0].curve.map((_, epoch) => mean(group.map(({ curve }) => curve[epoch]))),
  }))
  const legend = series.map(({ name, color }, i) => text(70, 400 + 18 * i, name, { color, weight: 'bold' })).join('')
  const box = { x: 20, y: 20, width: 820, height: 350 }
  const lines = curves(
    series.map(line => ({ ...line, name: '' })),
    box,
    { title: 'Held-out accuracy by epoch, mean over seeds', format: value => `${Math.round(100 * value)} %` },
  )
  return document(860, 400 + 18 * series.length, lines + legend)
}

/** Puts the table between the marks of the page, or begins one. */
function replacePart(path, content) {
  const [before, after] = ['<!-- results -->\n', '\n<!-- /results -->']
  const page = existsSync(path)
    ? readFileSync(path, 'utf8')
    : `# Results\n\n${before}${after}\n\n![Curves](curves.svg)\n`
  const [start, end] = [page.indexOf(before) + before.length, page.indexOf(after)]
  writeFileSync(path, page.slice(0, start) + content + page.slice(end))
}

function read(folder, file) {
  return JSON.parse(readFileSync(join(folder, file), 'utf8'))
}

function epochLines(folder) {
  const lines = readFileSync(join(folder, 'metrics.jsonl'), 'utf8').trim().split('\n')
  return lines.map(line => JSON.parse(line))
}

function epochsOf(folder) {
  return epochLines(folder).length
}

function mean(list) {
  return list.reduce((sum, value) => sum + value, 0) / list.length
}

/** In per cent: the mean and, of several, the standard deviation of one. */
function spread(list) {
  const center = mean(list)
  const deviation = Math.sqrt(list.reduce((sum, value) => sum + (value - center) ** 2, 0) / (list.length - 1))
  return `${(100 * center).toFixed(2)} %${list.length > 1 ? ` ± ${(100 * deviation).toFixed(2)}` : ''}`
}
