/** @file `fovea predict`: what a saved model sees in images. */
import { Command } from 'commander'
import { type Prediction, predict } from 'fovea'
import { readModel } from '../checkpoint-file.js'
import { decodeImage } from '../data/index.js'
import { type EngineOptions, openEngine, withEngineOptions } from '../engines.js'
import { createOutput, percent } from '../output.js'
import { formatTable } from '../table.js'
import { precision, type TrainingPrecision, trainingPrecisions, wholeNumber } from '../usage.js'

interface PredictOptions extends EngineOptions {
  readonly top: number
  readonly precision: TrainingPrecision
  readonly json?: true
}

export function predictCommand(): Command {
  return withEngineOptions(new Command('predict'))
    .description('say what is in images')
    .argument('<file>', 'a model that fovea saved, or the folder of a run')
    .argument('<images...>', 'JPEG, PNG or WebP files')
    .option('--top <n>', 'labels an image', wholeNumber('--top', 1), 5)
    .option('--precision <name>', trainingPrecisions.join(' or '), precision(trainingPrecisions), 'float32')
    .option('--json', 'print JSON, a line an image')
    .action(run)
}

/** Images that are decoded, and lie in memory, at a time. */
const CHUNK = 64

async function run(file: string, images: readonly string[], options: PredictOptions): Promise<void> {
  const output = createOutput(options.json === true)
  const model = readModel(file)
  const engine = openEngine({ engine: options.engine, threads: options.threads }, output)
  const { top, precision } = options
  for (let start = 0; start < images.length; start += CHUNK) {
    const paths = images.slice(start, start + CHUNK)
    const decoded = await Promise.all(paths.map(path => decodeImage(path, model.preprocessing.size)))
    const predictions = await predict(model, Buffer.concat(decoded), { engine, precision, top })
    for (const [i, image] of paths.entries()) {
      output.result({ image, predictions: predictions[i] })
      output.say(`${image}\n${formatPredictions(predictions[i])}\n`)
    }
  }
}

const formatPredictions = (predictions: readonly Prediction[]): string =>
  formatTable(
    [{ title: 'label' }, { title: 'probability', align: 'right' }],
    predictions.map(({ label, probability }) => [label, percent(probability)]),
  )
