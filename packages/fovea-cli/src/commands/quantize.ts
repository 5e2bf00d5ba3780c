/** @file `fovea quantize`: a saved model in fewer bits, beside what it was. */
import { Command } from 'commander'
import { rangeMethods, weightTypes } from 'fovea'
import { withEngineOptions } from '../engines.js'
import type { PlanOptions } from '../plan.js'
import { checkMethod, type Method, methods } from '../quantize/methods.js'
import { quantizePlans } from '../quantize/plan.js'
import { filesOf, type QuantizeRequest, runQuantization } from '../quantize/run.js'
import { settingOption } from '../setting-option.js'
import { integer, numberOf, oneOf, patternList, positiveNumber, wholeNumber } from '../usage.js'

type QuantizeOptions = Omit<QuantizeRequest, 'data'> & PlanOptions

const methodNames = Object.keys(methods) as Method[]

export function quantizeCommand(): Command {
  const aboutMethods = methodNames.map(name => `  ${name}: ${methods[name]}`).join('\n')
  return withEngineOptions(new Command('quantize'))
    .description('store a model in fewer bits: as integers, or in 16 bits')
    .argument('[file]', 'a model that fovea saved, or the folder of a run (not with --resume)')
    .option('--data <data>', 'cifar10, fashion-mnist, a folder of images or a packed file')
    .option('--method <name>', `${methodNames.join(', ')}; see below`, oneOf('--method', methodNames), 'ptq')
    .option(
      '--images <n>',
      'training images on which the ranges of activations are found',
      wholeNumber('--images', 1),
      512,
    )
    .option(
      '--ranges <by>',
      `how the range of an activation is chosen: ${rangeMethods.join(', ')} (default: mse)`,
      oneOf('--ranges', rangeMethods),
    )
    .option(
      '--weight-bits <n>',
      '8, or 7 for processors without VNNI (default: what this one computes in integers)',
      wholeNumber('--weight-bits', 7, 8),
    )
    .option(
      '--equalize',
      'first give the channels of neighbouring layers similar ranges, if only a relu is between the layers',
    )
    .option('--correct-biases', "correct each channel's bias for the shift that rounding causes in its mean")
    .option(
      '--max-loss <points>',
      'the most points of accuracy that may be lost: the layers that cost most stay float32, as few as needed',
      numberOf('--max-loss', false, { from: 0, to: 100 }),
    )
    .option(
      '--type <type>',
      `the type of the weights, with --method weights: ${weightTypes.join(', ')} (default: int8)`,
      oneOf('--type', weightTypes),
    )
    .option(
      '--keep-float32 <patterns>',
      'layers that stay float32, such as conv1,layer1.*,fc (with --method weights: parameters)',
      patternList('--keep-float32', 'patterns over names'),
    )
    .option(
      '--epochs <n>',
      'train the model for this many epochs to tolerate integers, with --method qat',
      wholeNumber('--epochs', 1),
    )
    .addOption(settingOption('recipe', "that of the run that left FILE, else the model's"))
    .option(
      '--learning-rate <x>',
      "the highest learning rate of that training (default: a hundredth of the recipe's)",
      positiveNumber('--learning-rate'),
    )
    .addOption(settingOption('batchSize', "the recipe's"))
    .option('--distill', 'let the model learn from the original as well as from the labels, with --method qat')
    .option('--seed <n>', 'seed of that training (default: 0)', integer('--seed'))
    .option('--skip-bad', 'leave out images that cannot be read')
    .option(
      '--out <folder>',
      'where the results are kept; replaces no file (default: runs/MODEL-quantized, or runs/MODEL-quantized-2, …)',
    )
    .option('--resume <folder>', 'resume the quantization in this folder, with the settings it was started with')
    .option('--json', 'print JSON')
    .addHelpText('after', `\nMethods:\n${aboutMethods}`)
    .action(run)
}

const run = (file: string | undefined, options: QuantizeOptions, given: Command): Promise<void> =>
  quantizePlans.run(file, options, {
    ...{ given, fresh: quantizeCommand, suffix: 'quantized', files: filesOf, work: runQuantization },
    requestOf(request) {
      checkMethod(request)
      return request
    },
  })
