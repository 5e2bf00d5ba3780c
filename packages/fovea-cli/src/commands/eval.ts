/** @file `fovea eval`: how well a saved model recognizes held-out images. */
import { Command } from 'commander'
import { arrayDataset, checkDataset, createModel, evaluate } from 'fovea'
import { readModel } from '../checkpoint-file.js'
import type { FoundData } from '../data/index.js'
import { type EngineOptions, openEngine, withEngineOptions } from '../engines.js'
import { findData, loading, type OpenDataOptions } from '../open-data.js'
import { createOutput, percent, withCommas } from '../output.js'
import { formatTable } from '../table.js'
import { modelName, precision, type TrainingPrecision, trainingPrecisions, wholeNumber } from '../usage.js'

interface EvalOptions extends EngineOptions {
  readonly data: string
  readonly model?: string
  readonly batch: number
  readonly precision: TrainingPrecision
  readonly skipBad?: boolean
  readonly json?: true
}

export function evalCommand(): Command {
  return withEngineOptions(new Command('eval'))
    .description('measure a model on held-out images')
    .argument('<file>', 'a model that fovea saved, or the folder of a run')
    .requiredOption('--data <data>', 'cifar10, fashion-mnist, a folder of images or a packed file')
    .option('--model <name>', 'which model, where the file holds nothing but weights', modelName)
    .option('--batch <n>', 'images at a time', wholeNumber('--batch', 1), 100)
    .option('--precision <name>', trainingPrecisions.join(' or '), precision(trainingPrecisions), 'float32')
    .option('--skip-bad', 'leave out images that cannot be read')
    .option('--json', 'print JSON')
    .action(run)
}

async function run(file: string, options: EvalOptions): Promise<void> {
  const output = createOutput(options.json === true)
  // What cannot fit is refused before a long folder is decoded.
  const { model, data } = await findBoth(file, options)
  checkDataset(model, arrayDataset({ ...data, images: new Uint8Array(), labels: [] }))
  const { test } = await loading(output, load => data.open(load))
  const engine = openEngine({ engine: options.engine, threads: options.threads }, output)
  const { batch: batchSize, precision } = options
  const { confusion, ...result } = await evaluate(model, test, { engine, batchSize, precision })
  output.result(result)
  output.say(
    `${file}: ${percent(result.accuracy)} of ${withCommas(result.images)} images, top 5 ${percent(result.top5)}, ` +
      `loss ${result.loss.toFixed(4)}, ${result.seconds.toFixed(1)} s`,
  )
  output.say(
    formatTable(
      columns,
      model.labels.map((label, i) => classRow(label, confusion[i], model.labels)),
    ),
  )
}

/** A saved model has a size, and images come in it; one by name takes the images' size and classes. */
async function findBoth(file: string, { model: name, data, skipBad = false }: EvalOptions) {
  const find = (options: OpenDataOptions): Promise<FoundData> => findData(data, { skipBad, ...options })
  if (name === undefined) {
    const model = readModel(file)
    const [height, width, channels] = model.preprocessing.size
    return { model, data: await find({ defaultSize: [height, width], channels }) }
  }
  const found = await find({ maxSize: createModel(name).preprocessing.size[0] })
  return { model: readModel(file, name, { input: found.imageShape, labels: found.classes }), data: found }
}

const columns = [
  { title: 'class', shrinkTo: 8 },
  { title: 'images', align: 'right' as const },
  { title: 'recognized', align: 'right' as const },
  { title: 'most often taken for' },
]

function classRow(label: string, counts: readonly number[], labels: readonly string[]): string[] {
  const own = labels.indexOf(label)
  const total = counts.reduce((sum, count) => sum + count, 0)
  const wrong = counts.map((count, i) => (i === own ? 0 : count))
  const most = wrong.indexOf(Math.max(...wrong))
  const taken = wrong[most] === 0 ? '' : `${labels[most]} (${withCommas(wrong[most])})`
  return [label, withCommas(total), total === 0 ? '' : percent(counts[own] / total), taken]
}
