/** @file `fovea prune`: a saved model without the channels or weights that it needs least, trained on, beside what it was. */
import { Command } from 'commander'
import { criteria, patterns, scopes } from 'fovea'
import { engineOptionNames, withEngineOptions } from '../engines.js'
import { createOutput } from '../output.js'
import { type PlanOptions, refuseOthers } from '../plan.js'
import { analyze } from '../prune/analyze.js'
import { checkMethod, type Method, methods } from '../prune/methods.js'
import { prunePlans } from '../prune/plan.js'
import { filesOf, type PruneRequest, runPruning } from '../prune/run.js'
import { settingOption } from '../setting-option.js'
import { integer, numberOf, oneOf, positiveNumber, wholeNumber } from '../usage.js'

interface PruneOptions extends Omit<PruneRequest, 'data'>, PlanOptions {
  readonly analyze?: true
}

/** What may be said of an analysis. */
const analyzeOptions = [
  ...['--analyze', '--data', '--method', '--importance', '--images', '--seed', '--skip-bad', '--out'],
  ...[...engineOptionNames, '--json'],
]

const methodNames = Object.keys(methods) as Method[]

export function pruneCommand(): Command {
  const aboutMethods = methodNames.map(name => `  ${name}: ${methods[name]}`).join('\n')
  return withEngineOptions(new Command('prune'))
    .description('remove the channels or weights that a model needs least')
    .argument('[file]', 'a model that fovea saved, or the folder of a run (not with --resume)')
    .option('--data <data>', 'cifar10, fashion-mnist, a folder of images or a packed file')
    .option(
      '--method <name>',
      `what to remove: ${methodNames.join(', ')}; see below`,
      oneOf('--method', methodNames),
      'channels',
    )
    .option(
      '--amount <part>',
      'how much to remove, as a part of the multiply-adds (channels) or of the weights, such as 0.5',
      numberOf('--amount', false, { above: 0, below: 1 }),
    )
    .option(
      '--importance <by>',
      `how channels are ranked: ${criteria.join(', ')} (default: l2)`,
      oneOf('--importance', criteria),
    )
    .option(
      '--scope <scope>',
      `${scopes.join(' or ')}: rank all layers together, or remove the same part of each`,
      oneOf('--scope', scopes),
      'global',
    )
    .option(
      '--multiple-of <n>',
      'layers keep a multiple of this many channels (default: 8)',
      wholeNumber('--multiple-of', 1),
    )
    .option(
      '--pattern <pattern>',
      '2:4: remove two of every four weights; instead of --amount',
      oneOf('--pattern', patterns),
    )
    .option(
      '--iterations <n>',
      'remove the channels in this many equal parts, and train for --epochs after each',
      wholeNumber('--iterations', 2, 1000),
    )
    .option('--gradual', 'remove weights little by little while the model trains (with --epochs)')
    .option(
      '--images <n>',
      'training images to estimate taylor importance and norm statistics from; with --analyze, the images to measure',
      wholeNumber('--images', 1),
      2048,
    )
    .option('--epochs <n>', 'train the pruned model for this many epochs', wholeNumber('--epochs', 1))
    .addOption(settingOption('recipe', "that of the run that left FILE, else the model's"))
    .option(
      '--learning-rate <x>',
      "the highest learning rate of that training (default: a quarter of the recipe's)",
      positiveNumber('--learning-rate'),
    )
    .addOption(settingOption('batchSize', "the recipe's"))
    .addOption(settingOption('precision', 'float32'))
    .option('--analyze', 'prune nothing; measure what pruning each layer alone costs, as a table and a picture')
    .option('--distill', 'let the pruned model learn from the original as well as from the labels (with --epochs)')
    .option('--seed <n>', 'seed of that training, and of random importance', integer('--seed'), 0)
    .option('--skip-bad', 'leave out images that cannot be read')
    .option(
      '--out <folder>',
      'where the results are kept; replaces no file (default: runs/MODEL-pruned, or runs/MODEL-pruned-2, …)',
    )
    .option('--resume <folder>', 'resume the pruning in this folder, with the settings it was started with')
    .option('--json', 'print JSON')
    .addHelpText('after', `\nMethods:\n${aboutMethods}`)
    .action(run)
}

async function run(file: string | undefined, options: PruneOptions, given: Command): Promise<void> {
  if (options.analyze && options.resume === undefined) {
    const of = prunePlans.asked(file, options)
    refuseOthers(given, analyzeOptions, '--analyze prunes nothing')
    const output = createOutput(options.json === true, { leavesFiles: true })
    await analyze(of.file, of.asked, { out: options.out, output })
    return
  }
  await prunePlans.run(file, options, {
    ...{ given, fresh: pruneCommand, suffix: 'pruned', files: filesOf, work: runPruning },
    requestOf({ analyze: _, ...request }) {
      checkMethod(request)
      return request
    },
  })
}
