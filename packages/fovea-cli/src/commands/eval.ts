/** @file `fovea eval`: how well a saved model recognizes held-out images. */

import { join } from 'node:path'
import { Command } from 'commander'
import {
  type ClassMetrics,
  createModel,
  evaluate,
  type Precision,
  type TestTimeAugmentation,
  testTimeAugmentations,
} from 'fovea'
import { readModel } from '../checkpoint-file.js'
import type { FoundData } from '../data/index.js'
import { type EngineOptions, openEngine, withEngineOptions } from '../engines.js'
import { checkNewFiles } from '../new-files.js'
import { checkFound, dataName, findData, imagesFor, loading, type OpenDataOptions } from '../open-data.js'
import { createOutput, percent, withCommas } from '../output.js'
import { evaluationFiles, writeEvaluationReport } from '../reports/run-report.js'
import { settingOption } from '../setting-option.js'
import { formatTable } from '../table.js'
import { modelName, oneOf, wholeNumber } from '../usage.js'

interface EvalOptions extends EngineOptions {
  readonly data: string
  readonly model?: string
  readonly batch: number
  readonly precision: Precision
  readonly keepFloat32?: string[]
  readonly testTimeAugmentation: TestTimeAugmentation
  readonly skipBad?: boolean
  readonly out?: string
  readonly json?: true
}

export function evalCommand(): Command {
  return withEngineOptions(new Command('eval'))
    .description('measure a model on held-out images')
    .argument('<file>', 'a model that fovea saved, or the folder of a run')
    .requiredOption('--data <data>', 'cifar10, fashion-mnist, a folder of images or a packed file')
    .option('--model <name>', 'which model, where the file holds nothing but weights', modelName)
    .option('--batch <n>', 'images at a time', wholeNumber('--batch', 1), 100)
    .addOption(settingOption('precision').default('float32'))
    .addOption(settingOption('keepFloat32'))
    .option(
      '--test-time-augmentation <views>',
      `average over several views of each image: ${testTimeAugmentations.join(', ')}`,
      oneOf('--test-time-augmentation', testTimeAugmentations),
      'none',
    )
    .option('--skip-bad', 'leave out images that cannot be read')
    .option(
      '--out <folder>',
      'write results.json and pictures of the mistakes and of the calibration there, as new files',
    )
    .option('--json', 'print JSON')
    .action(run)
}

async function run(file: string, options: EvalOptions): Promise<void> {
  const output = createOutput(options.json === true, { leavesFiles: options.out !== undefined })
  const { out } = options
  // What cannot fit, and what cannot be written, is refused before a long folder is decoded.
  if (out !== undefined) {
    checkNewFiles(
      evaluationFiles.map(name => join(out, name)),
      '--out',
    )
  }
  const { model, data } = await findBoth(file, options)
  checkFound(model, data)
  const { test } = await loading(output, load => data.open(load))
  const engine = openEngine({ engine: options.engine, threads: options.threads }, output)
  const { batch: batchSize, precision, keepFloat32, testTimeAugmentation } = options
  const how = { engine, batchSize, precision, ...(keepFloat32 && { keepFloat32 }), testTimeAugmentation }
  const evaluation = await evaluate(model, test, how)
  const { loss, accuracy, top5, images, seconds, calibrationError, classes, confusion } = evaluation
  output.result({ loss, accuracy, top5, images, seconds, calibrationError, classes })
  output.say(
    `${file}: ${percent(accuracy)} of ${withCommas(images)} images, top 5 ${percent(top5)}, loss ${loss.toFixed(4)}, ` +
      `calibration error ${percent(calibrationError)}, ${seconds.toFixed(1)} s`,
  )
  output.show(
    formatTable(
      columns,
      classes.map((row, i) => classRow(row, i, confusion[i], model.labels)),
    ),
  )
  if (out === undefined) return
  const title = `${model.name} on ${dataName(test)}`
  const mistakes = await writeEvaluationReport(out, { model, test, title, evaluation })
  output.say(`mistakes ${mistakes}`)
}

/** A saved model has a size, and images come in it; one by name takes the images' size and classes. */
async function findBoth(file: string, { model: name, data, skipBad = false }: EvalOptions) {
  const find = (options: OpenDataOptions): Promise<FoundData> => findData(data, { skipBad, ...options })
  if (name === undefined) {
    const model = readModel(file)
    return { model, data: await find(imagesFor(model)) }
  }
  const found = await find({ maxSize: createModel(name).preprocessing.size[0] })
  return { model: readModel(file, name, { input: found.imageShape, labels: found.classes }), data: found }
}

const columns = [
  { title: 'class', shrinkTo: 8 },
  { title: 'images', align: 'right' as const },
  { title: 'precision', align: 'right' as const },
  { title: 'recall', align: 'right' as const },
  { title: 'F1', align: 'right' as const },
  { title: 'most often taken for' },
]

/** @param counts what its images were taken for */
function classRow(
  { label, images, precision, recall, f1 }: ClassMetrics,
  own: number,
  counts: readonly number[],
  labels: readonly string[],
): string[] {
  const wrong = counts.map((count, i) => (i === own ? 0 : count))
  const most = wrong.indexOf(Math.max(...wrong))
  const taken = wrong[most] === 0 ? '' : `${labels[most]} (${withCommas(wrong[most])})`
  const fractions = [precision, recall, f1].map(value => (value === null ? '' : percent(value)))
  return [label, withCommas(images), ...fractions, taken]
}
