/** @file `fovea predict`: what a saved model sees in images. */

import { Command } from 'commander'
import { FoveaError, type Precision, type Prediction, predict } from 'fovea'
import { readPretrained } from '../checkpoint-file.js'
import { formatNames } from '../data/image-formats.js'
import { decodeImages } from '../data/index.js'
import { type EngineOptions, openEngine, withEngineOptions } from '../engines.js'
import { createOutput, percent } from '../output.js'
import { settingOption } from '../setting-option.js'
import { formatTable } from '../table.js'
import { wholeNumber } from '../usage.js'
import { aboutWeights, modelOption, normalizeOption } from '../weights/options.js'

interface PredictOptions extends EngineOptions {
  readonly top: number
  readonly precision: Precision
  readonly model?: string
  readonly normalize?: string
  readonly json?: true
}

export function predictCommand(): Command {
  return withEngineOptions(new Command('predict'))
    .description('classify images')
    .argument('<file>', aboutWeights)
    .argument('<images...>', `${formatNames} files`)
    .option('--top <n>', 'labels per image', wholeNumber('--top', 1), 5)
    .addOption(settingOption('precision').default('float32'))
    .addOption(modelOption())
    .addOption(normalizeOption())
    .option('--json', 'print JSON, one line per image')
    .action(run)
}

/** Images that are decoded, and lie in memory, at a time. */
const CHUNK = 64

async function run(file: string, images: readonly string[], options: PredictOptions): Promise<void> {
  const output = createOutput(options.json === true)
  const model = readPretrained(file, options, output)
  const engine = openEngine(options, output)
  const { top, precision } = options
  const bad: FoveaError[] = []
  for (let start = 0; start < images.length; start += CHUNK) {
    const paths = images.slice(start, start + CHUNK)
    const decoded = await decodeImages(paths, model.preprocessing.size, model.preprocessing.resizing)
    const pixels = decoded.filter(result => result instanceof Uint8Array)
    const predictions = pixels.length > 0 ? await predict(model, Buffer.concat(pixels), { engine, precision, top }) : []
    for (const [i, image] of paths.entries()) {
      const result = decoded[i]
      if (result instanceof FoveaError) {
        bad.push(result)
        output.result({ image, error: result.message })
        if (images.length > 1) output.warn(result.message)
      } else {
        const labels = predictions.shift() ?? []
        output.result({ image, predictions: labels })
        output.say(image)
        output.show(`${formatPredictions(labels)}\n`)
      }
    }
  }
  if (bad.length === 0) return
  throw images.length === 1 ? bad[0] : new FoveaError(`${bad.length} of ${images.length} images cannot be read`)
}

const formatPredictions = (predictions: readonly Prediction[]): string =>
  formatTable(
    [{ title: 'label' }, { title: 'probability', align: 'right' }],
    predictions.map(({ label, probability }) => [label, percent(probability)]),
  )
