/** @file `fovea compress`: a saved model made as small and fast as is asked for: pruned, trained on, in integers. */
import { Command } from 'commander'
import { criteria } from 'fovea'
import { compressPlans } from '../compress/plan.js'
import { type CompressRequest, filesOf, runCompression } from '../compress/run.js'
import { targetList } from '../compress/targets.js'
import { withEngineOptions } from '../engines.js'
import type { PlanOptions } from '../plan.js'
import { settingOption } from '../setting-option.js'
import { integer, oneOf, positiveNumber, UsageError, wholeNumber } from '../usage.js'

interface CompressOptions extends Omit<CompressRequest, 'data' | 'target'>, PlanOptions {
  readonly target?: readonly string[]
}

const aboutTargets = `
Targets (several between commas; all are to be met):
  latency=0.5x        at most half of the original's time for one image
  bytes=0.1x          at most a tenth of the original's file
  'accuracy>=-0.5'    at most half a point of accuracy lost, of a hundred, and as small a file as that allows
Of latency and bytes, as little is removed as will do. Accuracy is judged on the validation images, or on training images that
are held back; never on those that the account is about.`

export function compressCommand(): Command {
  return withEngineOptions(new Command('compress'))
    .description('prune, train and quantize a model until it is as small or fast as asked')
    .argument('[file]', 'a model that fovea saved, or the folder of a run (not with --resume)')
    .option('--data <data>', 'cifar10, fashion-mnist, a folder of images or a packed file')
    .option('--target <targets>', "latency=0.5x, bytes=0.1x or 'accuracy>=-0.5'; see below", targetList)
    .option('--epochs <n>', 'train each pruned model for this many epochs', wholeNumber('--epochs', 1), 10)
    .addOption(settingOption('recipe', "that of the run that left FILE, else the model's"))
    .option(
      '--learning-rate <x>',
      "the highest learning rate of that training (default: a quarter of the recipe's)",
      positiveNumber('--learning-rate'),
    )
    .addOption(settingOption('batchSize', "the recipe's"))
    .addOption(settingOption('precision', 'float32'))
    .option(
      '--distill',
      'let pruned models learn from the original as well, which is at hand and tells more of an image than its label',
      true,
    )
    .option('--no-distill', 'let them learn from the labels alone')
    .option(
      '--importance <by>',
      `how channels are ranked: ${criteria.join(', ')} (default: l2)`,
      oneOf('--importance', criteria),
    )
    .option(
      '--multiple-of <n>',
      'layers keep a multiple of this many channels; fewer than 8 allow finer amounts of small models (default: 8)',
      wholeNumber('--multiple-of', 1),
    )
    .option(
      '--images <n>',
      'training images to estimate importance, norm statistics and ranges of activations from',
      wholeNumber('--images', 1),
      512,
    )
    .option('--seed <n>', 'seed of training, and of random importance', integer('--seed'), 0)
    .option('--skip-bad', 'leave out images that cannot be read')
    .option(
      '--out <folder>',
      'where the results are kept; replaces no file (default: runs/MODEL-compressed, or runs/MODEL-compressed-2, …)',
    )
    .option('--resume <folder>', 'resume the compression in this folder, with the settings it was started with')
    .option('--json', 'print JSON')
    .addHelpText('after', aboutTargets)
    .action(run)
}

const run = (file: string | undefined, options: CompressOptions, given: Command): Promise<void> =>
  compressPlans.run(file, options, {
    ...{ given, fresh: compressCommand, suffix: 'compressed', files: filesOf, work: runCompression },
    requestOf({ target, ...asked }) {
      if (target === undefined)
        throw new UsageError("--target is missing: latency=0.5x, bytes=0.1x or 'accuracy>=-0.5'")
      return { ...asked, target }
    },
  })
