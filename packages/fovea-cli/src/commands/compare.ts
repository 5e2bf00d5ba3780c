/** @file `fovea compare`: models, in several precisions, beside each other. */

import { Command, Option } from 'commander'
import { type Precision, precisions } from 'fovea'
import { frontsOf } from '../compare/fronts.js'
import { measureRows } from '../compare/measure.js'
import { comparisonFiles, writeComparison } from '../compare/report.js'
import { planRows, type RowOptions } from '../compare/rows.js'
import { openSubjects, type Subject, type SubjectOptions } from '../compare/subjects.js'
import { formatSections, sectionsOf } from '../compare/tables.js'
import { type EngineOptions, openEngine, withEngineOptions } from '../engines.js'
import { onInterrupt } from '../interrupt.js'
import { describeMeasured, type MeasuredImages, measuredEntry, sayDoubts } from '../measured-images.js'
import { checkNewFiles } from '../new-files.js'
import { dataName } from '../open-data.js'
import { optionOf } from '../option-names.js'
import { createOutput, withCommas } from '../output.js'
import { StagedProgress } from '../progress.js'
import { settingOption } from '../setting-option.js'
import { integer, listOf, precision, UsageError, wholeNumber } from '../usage.js'

interface CompareOptions extends EngineOptions, SubjectOptions, Omit<RowOptions, 'precisions' | 'seed'> {
  readonly precision: readonly Precision[]
  readonly steps: number
  readonly out?: string
  readonly json?: true
}

export function compareCommand(): Command {
  return withEngineOptions(new Command('compare'))
    .description('put models side by side: size, cost, speed, and accuracy with --data')
    .argument('<models...>', 'resnet20, efficientnet-b0, …, or models that fovea saved and folders of runs')
    .addOption(
      new Option(
        '--precision <names>',
        `compare each model in each of these, separated by commas: ${precisions.join(', ')}`,
      )
        .argParser(listOf(precision(precisions)))
        .default(['float32'], 'float32'),
    )
    .addOption(settingOption('keepFloat32'))
    .option(
      '--data <data>',
      'cifar10, fashion-mnist, a folder of images or a packed file: saved models are measured on it',
    )
    .option(
      '--epochs <n>',
      'train the models given by name for this many epochs, all in the same way',
      wholeNumber('--epochs', 1),
    )
    .addOption(settingOption('recipe', "the model's recipe"))
    .addOption(settingOption('batchSize', "the recipe's"))
    .option('--seed <n>', 'seed of weights, order and augmentation', integer('--seed'), 0)
    .option('--size <pixels>', "side of a folder's images (default: the model's)", wholeNumber('--size', 1))
    .option('--limit <n>', 'train on this many of the images', wholeNumber('--limit', 1))
    .option('--skip-bad', 'leave out images that cannot be read')
    .option('--steps <n>', 'steps that are timed, after two that are not', wholeNumber('--steps', 1), 10)
    .option('--out <folder>', 'write comparison.json, comparison.md and comparison.html there, as new files')
    .option('--json', 'print JSON')
    .action(run)
}

async function run(names: readonly string[], options: CompareOptions): Promise<void> {
  const { data, epochs, steps, out, precision: precisions } = options
  const output = createOutput(options.json === true, { leavesFiles: out !== undefined })
  if (out !== undefined) checkNewFiles(comparisonFiles(out), '--out')
  for (const name of ['epochs', 'limit', 'size', 'skipBad'] as const) {
    if (data === undefined && options[name] !== undefined) {
      throw new UsageError(`${optionOf(name)} is about images: say which with --data`)
    }
  }
  const { subjects, measured } = await openSubjects(names, options, output)
  if (measured) sayDoubts(measured, output)
  const planned = planRows(subjects, { ...options, precisions })
  const engine = openEngine(options, output)
  const about = heading(subjects, measured, options, engine.description)
  for (const line of about) output.say(line)
  const progress = new StagedProgress()
  const { signal, release } = onInterrupt(() => {
    progress.stop()
    output.warn('stopping after this step (Ctrl-C again ends at once)')
  })
  try {
    const models = await measureRows(planned, {
      ...{ engine, steps, signal, progress, say: output.say },
      ...(epochs === undefined ? {} : { epochs }),
    })
    progress.stop()
    const front = frontsOf(models)
    const result = { models, ...(front && { front }), ...(measured && { measured: measuredEntry(measured) }) }
    const sections = sectionsOf(models, front)
    const width = Math.min(process.stdout.columns || 100, 100)
    output.show(`\n${formatSections(sections, width)}`)
    if (out !== undefined) {
      const on = measured === undefined ? '' : ` on ${dataName(measured.images[0])}`
      await writeComparison(out, { title: `Models beside each other${on}`, about, sections, models, result })
    }
    output.result(result)
    if (out !== undefined) output.say(`comparison ${comparisonFiles(out)[2]}`)
  } finally {
    progress.stop()
    release()
  }
}

/** What the tables are of. */
function heading(
  subjects: readonly Subject[],
  measured: MeasuredImages | undefined,
  { data = '', limit, epochs, recipe, seed }: CompareOptions,
  engine: string,
): string[] {
  const lines = [`engine ${engine}`]
  const trained = subjects.find(({ training }) => training)?.training?.train.length
  const training = trained === undefined ? '' : `${withCommas(trained)} images to train on, `
  const part = limit === undefined ? data : `${data}, limited by --limit ${limit}`
  if (measured) lines.push(`${training}measured on ${describeMeasured(measured, part)}`)
  if (epochs !== undefined) {
    const by = recipe === undefined ? '' : ` by recipe ${recipe}`
    lines.push(`models by name are trained${by}, epochs: ${epochs}, seed: ${seed}`)
  }
  return lines
}
