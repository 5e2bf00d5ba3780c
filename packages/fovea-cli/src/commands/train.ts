/** @file `fovea train`: trains a model on a data set, and goes on with a run that was stopped. */

import { Command } from 'commander'
import { defaultRecipe, FoveaError, recipeNames, recipeOf, recipes } from 'fovea'
import { aboutAugment, augmentList } from '../augment-option.js'
import { readModelFile } from '../checkpoint-file.js'
import { compareScratch } from '../compare-scratch.js'
import { type EngineOptions, resumedEngine, withEngineOptions } from '../engines.js'
import { explain, type PlannedRun } from '../explain.js'
import { optionOf } from '../option-names.js'
import { createOutput, type Output } from '../output.js'
import { aboutPruning, pruningList } from '../pruning-option.js'
import { freeRunFolder, RunFolder } from '../run-folder.js'
import { pathsOf, type RunRequest } from '../run-record.js'
import { settingOption } from '../setting-option.js'
import { runTraining } from '../training-run.js'
import { integer, modelName, oneOf, positiveNumber, settingList, UsageError, wholeNumber } from '../usage.js'
import { wantedModel } from '../weights/foreign-model.js'
import { normalizeOption } from '../weights/options.js'

/** What a run is asked for, as the request has it, and how it is run. */
interface TrainOptions extends EngineOptions, Partial<Omit<RunRequest, 'model' | keyof EngineOptions>> {
  readonly out?: string
  readonly resume?: string
  readonly explain?: true
  readonly json?: true
}

export function trainCommand(): Command {
  const aboutRecipes = recipeNames.map(name => `  ${name}: ${recipes[name].about}`).join('\n')
  return withEngineOptions(new Command('train'))
    .description('train a model on a data set')
    .argument('[model]', 'resnet20, efficientnet-b0, … (not with --resume)', modelName)
    .option('--data <data>', 'cifar10, fashion-mnist, a folder of images or a packed file')
    .option('--from <file>', 'a trained model, or weights of MODEL, to start from (recipe: finetune)')
    .option(
      '--compare-scratch',
      'also train the model from new weights, on the same images for as many epochs, and say what --from gains',
    )
    .addOption(normalizeOption())
    .addOption(settingOption('epochs', "the recipe's, if it has a length"))
    .addOption(settingOption('batchSize', "the recipe's"))
    .addOption(settingOption('recipe', "the model's recipe"))
    .addOption(settingOption('learningRate'))
    .addOption(settingOption('accumulate'))
    .addOption(settingOption('clipNorm'))
    .option(
      '--set <values>',
      'new values for single settings, by the names that --explain prints: optimizer.momentum=0.8,labelSmoothing=0; none removes an augmentation, average, clipNorm, earlyStopping or classWeights',
      settingList,
    )
    .addOption(settingOption('freeze'))
    .addOption(settingOption('normStatistics'))
    .option(
      '--augment <list>',
      'augmentations to add to those of the recipe, such as cutmix,trivial-augment,cutout=8; all are listed below',
      augmentList,
    )
    .option('--pruning <settings>', aboutPruning, pruningList)
    .option(
      '--distill <file>',
      'a trained model of the same images and classes, to learn from as well as from the labels',
    )
    .option(
      '--average-decay <x>',
      'decay of a moving average of the weights, which is evaluated and kept',
      positiveNumber('--average-decay', 1),
    )
    .option(
      '--early-stopping <epochs>',
      'end after this many epochs without a lower held-out loss',
      wholeNumber('--early-stopping', 1),
    )
    .option('--class-weights <how>', 'balanced: rare classes count more', oneOf('--class-weights', ['balanced']))
    .addOption(settingOption('testTimeAugmentation'))
    .addOption(settingOption('precision', 'float32'))
    .addOption(settingOption('keepFloat32'))
    .addOption(settingOption('memory', 'standard'))
    .option('--seed <n>', 'seed of weights, order and augmentation (default: 0)', integer('--seed'))
    .option(
      '--size <pixels>',
      "side in pixels of a folder's images (default: the model's, or theirs if that is smaller)",
      wholeNumber('--size', 1),
    )
    .option('--limit <n>', 'train on only this many images, with classes in proportion', wholeNumber('--limit', 1))
    .option('--skip-bad', 'leave out images that cannot be read')
    .option(
      '--save-seconds <n>',
      'save every n seconds within an epoch, so that a crash costs no more than that; 0 saves after every step (default: 300)',
      wholeNumber('--save-seconds', 0),
    )
    .option('--keep <n>', 'also keep the checkpoints of the last n epochs', wholeNumber('--keep', 1))
    .option('--out <folder>', 'where the run is kept; replaces no file (default: runs/MODEL, or runs/MODEL-2, …)')
    .option('--resume <folder>', 'resume the run in this folder, with the settings it was started with')
    .option('--explain', 'print all settings of the run, and start nothing')
    .option('--json', 'print JSON, one line per epoch')
    .addHelpText('after', `\nRecipes:\n${aboutRecipes}\n\nAugmentations: ${aboutAugment}`)
    .action(run)
}

async function run(model: string | undefined, options: TrainOptions): Promise<void> {
  const output = createOutput(options.json === true, { leavesFiles: options.explain !== true })
  if (options.explain) {
    const { resume } = options
    await explain(
      resume === undefined ? plannedRun(model, options) : new RunFolder(resume).readRecord().request,
      output,
    )
    return
  }
  const resume = options.resume !== undefined
  const { request, folder } = resume ? goOn(options.resume, model, options, output) : begin(model, options)
  const trained = await runTraining(request, { folder, resume, output })
  if (trained && request.compareScratch) await compareScratch(request, trained, folder, output)
}

/** What the options ask for. A trained model brings its name and, unless another is given, the recipe for it. */
function plannedRun(name: string | undefined, options: TrainOptions): PlannedRun {
  const { out: _, resume: __, json: ___, explain: ____, precision = 'float32', seed = 0, ...rest } = options
  const { from } = rest
  const model = name ?? (from === undefined ? undefined : nameOf(from))
  if (model === undefined)
    throw new UsageError('which model? For example: npx fovea train resnet20 --data cifar10 --epochs 10')
  return { model, precision, seed, ...(from === undefined ? {} : { recipe: 'finetune' }), ...rest }
}

/** Which model a file holds: it says so itself, or what lies beside it does. */
function nameOf(from: string): string {
  const { graph, weights } = readModelFile(from).source
  return graph === undefined ? wantedModel(weights).name : graph.read().model.name
}

function begin(name: string | undefined, options: TrainOptions): { request: RunRequest; folder: RunFolder } {
  const { data, ...planned } = plannedRun(name, options)
  if (data === undefined)
    throw new UsageError('--data is missing: cifar10, fashion-mnist, a folder of images or a packed file')
  const recipe = planned.recipe ?? defaultRecipe(planned.model)
  const { steps, pretrained } = recipeOf(recipe)
  if (pretrained && planned.from === undefined)
    throw new UsageError(`--recipe ${recipe} goes on from a trained model: name its file with --from`)
  if (planned.compareScratch && planned.from === undefined)
    throw new UsageError(
      '--compare-scratch compares with a run that begins from a trained model: name its file with --from',
    )
  if (planned.epochs === undefined && steps === undefined)
    throw new UsageError('--epochs is missing: how often to pass over the training images')
  return { request: { ...planned, data }, folder: new RunFolder(options.out ?? freeRunFolder(planned.model)) }
}

/** The run of a folder. Where the data lie and what computes may have changed since; what is trained may not. */
function goOn(path: string, model: string | undefined, options: TrainOptions, output: Output) {
  const folder = new RunFolder(path)
  const was = folder.readRecord().request
  const { out, resume: _, json: __, explain: ___, ...given } = options
  const { data = was.data, memory = was.memory, saveSeconds = was.saveSeconds, keep = was.keep } = options
  const engine = resumedEngine(was, options)
  const free = {
    data,
    ...engine,
    ...(memory && { memory }),
    ...(saveSeconds !== undefined && { saveSeconds }),
    ...(keep && { keep }),
  }
  if (out !== undefined && out !== path) throw new UsageError('--resume goes on in the same folder: leave out --out')
  for (const [name, value] of Object.entries({ model, ...given, ...pathsOf(given) })) {
    const before = was[name as keyof RunRequest]
    if (value !== undefined && String(value) !== String(before) && !(name in free)) {
      throw new FoveaError(
        before === undefined
          ? `the run in '${path}' was started without ${optionOf(name)}; it cannot go on with it`
          : `the run in '${path}' has ${optionOf(name)} ${before}; it cannot go on with ${value}`,
      )
    }
  }
  if (described(engine) !== described(was)) {
    output.warn(`the run began on ${described(was)}: its last bits will be others than without a stop`)
  }
  return { request: { ...was, ...free }, folder }
}

/** All of an engine that the bits of a run depend on. */
const described = ({ engine, threads, simd }: EngineOptions): string =>
  `${engine}${simd === undefined ? '' : ` (${simd} SIMD)`} with ${threads} thread${threads === 1 ? '' : 's'}`
