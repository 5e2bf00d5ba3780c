/** @file `fovea eval`: how well a saved model recognizes images that it was not trained on. */

import { join } from 'node:path'
import { Command } from 'commander'
import {
  type ClassMetrics,
  type Evaluation,
  evaluate,
  FoveaError,
  type Precision,
  type TestTimeAugmentation,
  testTimeAugmentations,
} from 'fovea'
import { firstFew } from 'fovea/engine'
import { wilsonInterval } from '../account/interval.js'
import { type ModelFile, pretrainedOf, readModelFile } from '../checkpoint-file.js'
import type { FoundData } from '../data/index.js'
import { type EngineOptions, openEngine, withEngineOptions } from '../engines.js'
import { describeMeasured, measuredEntry, measuredImages, measuredName, sayDoubts } from '../measured-images.js'
import { checkNewFiles } from '../new-files.js'
import { checkFound, dataName, findData, imagesFor, loading, type OpenDataOptions } from '../open-data.js'
import { createOutput, type Output, percent, withCommas } from '../output.js'
import { evaluationFiles, writeEvaluationReport } from '../reports/run-report.js'
import { settingOption } from '../setting-option.js'
import { formatTable } from '../table.js'
import { readTrainedImages, type TrainedImages } from '../trained-images.js'
import { oneOf, wholeNumber } from '../usage.js'
import { readForeign, wantedModel } from '../weights/foreign-model.js'
import { aboutWeights, modelOption, normalizeOption } from '../weights/options.js'

interface EvalOptions extends EngineOptions {
  readonly data: string
  readonly model?: string
  readonly normalize?: string
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
    .description('measure a model on images that it was not trained on')
    .argument('<file>', aboutWeights)
    .requiredOption('--data <data>', 'cifar10, fashion-mnist, a folder of images or a packed file')
    .addOption(modelOption())
    .addOption(normalizeOption())
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
  const read = readModelFile(file)
  const trained = readTrainedImages(file)
  const { model, data } = await findBoth(read, trained, options, output)
  checkFound(model, data)
  const loaded = await loading(output, load => data.open(load))
  const measured = measuredImages([{ name: file, data: loaded, trained }])
  sayDoubts(measured, output)
  const [images] = measured.images
  const engine = openEngine(options, output)
  const { batch: batchSize, precision, keepFloat32, testTimeAugmentation } = options
  const how = { engine, batchSize, precision, ...(keepFloat32 && { keepFloat32 }), testTimeAugmentation }
  const evaluation = await evaluate(model, images, how)
  const { loss, accuracy, top5, seconds, calibrationError, classes } = evaluation
  const accuracyInterval = wilsonInterval(accuracy, images.length)
  const [low, high] = accuracyInterval
  const missing = classes.filter(row => row.images === 0).map(({ label }) => label)
  output.result({
    ...{ loss, accuracy, accuracyInterval, top5, images: images.length, seconds, calibrationError },
    measured: measuredEntry(measured),
    ...{ missing, classes },
  })
  output.say(
    `${file}: ${percent(accuracy)} (95 % interval ${percent(low)} to ${percent(high)}) of ` +
      `${describeMeasured(measured, options.data)}, ` +
      `${classes.length > 5 ? `top 5 ${percent(top5)}, ` : ''}loss ${loss.toFixed(4)}, ` +
      `calibration error ${percent(calibrationError)}, ${seconds.toFixed(1)} s`,
  )
  if (missing.length > 0) output.say(`no images of: ${firstFew(missing, ', ')}`)
  output.show(classTable(evaluation, model.labels))
  if (out === undefined) return
  const title = `${model.name} on ${dataName(images)}`
  const mistakes = await writeEvaluationReport(out, {
    ...{ model, test: images, title, evaluation },
    imagesName: measuredName(measured),
  })
  output.say(`mistakes ${mistakes}`)
}

/** A saved model has a size, and images come in it; weights alone take the images' size and classes. */
async function findBoth(read: ModelFile, trained: TrainedImages, options: EvalOptions, output: Output) {
  const { model: name, normalize, data, skipBad = false } = options
  // Which images a model was trained on is told by all that the folder has.
  const purpose = trained.fingerprint === undefined ? 'test' : 'measure'
  const find = (options: OpenDataOptions): Promise<FoundData> => findData(data, { skipBad, purpose, ...options })
  const { graph, weights } = read.source
  if (graph !== undefined) {
    const model = pretrainedOf(read, { model: name, normalize }, output)
    return { model, data: await find(imagesFor(model)) }
  }
  const { input, config } = wantedModel(weights, { model: name })
  const found = await find({
    ...{ maxSize: input[0], channels: input[2] },
    ...(config.resizing && { resizing: config.resizing }),
  })
  if (config.labels === undefined && found.classes.length < 2) {
    throw new FoveaError(
      `'${read.file}' names no classes, so the images must be of all of them; ${found.name} has '${found.classes[0]}' alone`,
    )
  }
  const labels = config.labels === undefined && { labels: found.classes }
  const model = readForeign(weights, { model: name, normalize, input: found.imageShape, ...labels }, output)
  return { model, data: found }
}

const columns = [
  { title: 'class', shrinkTo: 8 },
  { title: 'images', align: 'right' as const },
  { title: 'precision', align: 'right' as const },
  { title: 'recall', align: 'right' as const },
  { title: 'F1', align: 'right' as const },
  { title: 'most often taken for' },
]

/** A row for each class of which there are images. */
const classTable = ({ classes, confusion }: Evaluation, labels: readonly string[]): string =>
  formatTable(
    columns,
    classes.flatMap((row, i) => (row.images > 0 ? [classRow(row, i, confusion[i], labels)] : [])),
  )

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
