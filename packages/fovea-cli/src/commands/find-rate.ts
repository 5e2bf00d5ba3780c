/** @file `fovea find-rate`: which learning rate to train a model with, by a short training whose rate grows. */

import { join } from 'node:path'
import { Command } from 'commander'
import { type FindLearningRateOptions, findLearningRate, type MemoryUse, type Precision, type RecipeName } from 'fovea'
import { type EngineOptions, openEngine, withEngineOptions } from '../engines.js'
import { onInterrupt } from '../interrupt.js'
import { checkNewFiles, freeName } from '../new-files.js'
import { dataName, openRunData } from '../open-data.js'
import { createOutput, withCommas } from '../output.js'
import { progressBar } from '../progress.js'
import { pictureFiles, writePicture } from '../reports/picture.js'
import { formatRate, ratesPicture } from '../reports/rates-picture.js'
import { requestedSettings } from '../run-record.js'
import { settingOption } from '../setting-option.js'
import { startingModel } from '../starting-model.js'
import { integer, modelName, wholeNumber } from '../usage.js'

interface FindRateOptions extends EngineOptions {
  readonly data: string
  readonly batch?: number
  readonly recipe?: RecipeName
  readonly precision: Precision
  readonly memory?: MemoryUse
  readonly seed: number
  readonly size?: number
  readonly limit?: number
  readonly skipBad?: true
  readonly steps: number
  readonly out?: string
  readonly json?: true
}

export function findRateCommand(): Command {
  return withEngineOptions(new Command('find-rate'))
    .description('find a learning rate for training a model')
    .argument('<model>', 'resnet20, efficientnet-b0, …', modelName)
    .requiredOption('--data <data>', 'cifar10, fashion-mnist, a folder of images or a packed file')
    .addOption(settingOption('batchSize', "the recipe's"))
    .addOption(settingOption('recipe', "the model's recipe"))
    .addOption(settingOption('precision').default('float32'))
    .addOption(settingOption('memory', 'standard'))
    .option('--seed <n>', 'seed of weights, order and augmentation', integer('--seed'), 0)
    .option(
      '--size <pixels>',
      "side in pixels of a folder's images (default: the model's, or theirs if that is smaller)",
      wholeNumber('--size', 1),
    )
    .option('--limit <n>', 'use only this many images, with classes in proportion', wholeNumber('--limit', 1))
    .option('--skip-bad', 'leave out images that cannot be read')
    .option('--steps <n>', 'steps from the lowest rate to the highest', wholeNumber('--steps', 50), 100)
    .option(
      '--out <picture>',
      'where the plot is written, a new .png (default: runs/MODEL-learning-rate.png, or …-2.png)',
    )
    .option('--json', 'print JSON')
    .action(run)
}

/** More passes over the images than a search should take: then the loss falls for images that are known by heart. */
const MANY_PASSES = 10

/** Where losses fall steadily, the two suggestions are within a factor of ten or so. */
const FAR_APART = 30

async function run(name: string, options: FindRateOptions): Promise<void> {
  const output = createOutput(options.json === true, { leavesFiles: true })
  const { memory, steps, out = freeName(join('runs', `${name}-learning-rate`), pictureFiles) } = options
  const path = out.replace(/\.(png|svg)$/, '')
  checkNewFiles(pictureFiles(path), '--out')
  const request = { ...options, model: name }
  const data = await openRunData(request, output)
  const engine = openEngine(options, output)
  const settings: FindLearningRateOptions = {
    data,
    engine,
    steps,
    ...requestedSettings(request),
    ...(memory && { memory }),
  }
  const bar = progressBar('steps', steps)
  const interrupt = onInterrupt(() => bar.stop())
  let done = 0
  const onStep: FindLearningRateOptions['onStep'] = ({ learningRate, loss }) => {
    interrupt.signal.throwIfAborted()
    bar.update(++done, `rate ${formatRate(learningRate)}  loss ${loss.toFixed(3)}`)
  }
  try {
    const search = await findLearningRate(startingModel(request, data), { ...settings, onStep })
    bar.stop()
    const title = `${name} on ${dataName(data.train)}`
    const picture = await writePicture(ratesPicture(title, search), path)
    output.result({
      model: name,
      suggestion: search.steepest,
      tenthOfLowest: search.tenthOfLowest,
      picture,
      passes: search.passes,
      steps: search.steps,
    })
    output.show(describe(search.steepest, search.tenthOfLowest))
    const apart = search.steepest / search.tenthOfLowest
    if (apart > FAR_APART || apart < 1 / FAR_APART) {
      output.warn('the two are far apart: the losses are too noisy to tell; try more --steps or a larger --batch')
    }
    if (search.passes > MANY_PASSES) {
      const images = withCommas(data.train.length)
      output.warn(
        `each of the ${images} images was seen ${Math.round(search.passes)} times, so the loss fell partly for being ` +
          'learnt by heart: take the rates as rough ones, or give more images',
      )
    }
    output.say(`picture  ${picture}`)
  } finally {
    bar.stop()
    interrupt.release()
  }
}

/** The lower of the two, mostly the second, is the cautious one. */
function describe(steepest: number, tenthOfLowest: number): string {
  const line = (rate: number, other: number, where: string): string =>
    `--learning-rate ${formatRate(rate)}   ${where}${rate < other ? ': the cautious choice' : ''}`
  const lowest = line(tenthOfLowest, steepest, 'a tenth of where it is lowest')
  return `${line(steepest, tenthOfLowest, 'where the loss falls fastest')}\n${lowest}`
}
