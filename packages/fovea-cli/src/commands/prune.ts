/** @file `fovea prune`: a saved model without the channels that it needs least, trained on, beside what it was. */
import { statSync } from 'node:fs'
import { Command } from 'commander'
import {
  type Criterion,
  criteria,
  type DataSplits,
  defaultRecipe,
  type Engine,
  evaluate,
  formatBytes,
  type Model,
  type PrunedSet,
  peakRate,
  pruneChannels,
  resolveSettings,
  type Scope,
  scopes,
  take,
} from 'fovea'
import { modelFile, readModel, runFiles, writeCheckpoint } from '../checkpoint-file.js'
import { measureRows } from '../compare/measure.js'
import { type ComparedModel, planRows } from '../compare/rows.js'
import { formatComparison } from '../compare/tables.js'
import { type EngineName, openEngine, withEngineOptions } from '../engines.js'
import { writeFileAtomic } from '../files.js'
import { onInterrupt } from '../interrupt.js'
import { checkNewFiles } from '../new-files.js'
import { checkFound, findData, imagesFor, loading } from '../open-data.js'
import { createOutput, type Output, percent, withCommas } from '../output.js'
import { StagedProgress } from '../progress.js'
import { freeRunFolder, RunFolder } from '../run-folder.js'
import { foveaCommand } from '../shell.js'
import { formatTable } from '../table.js'
import { runTraining } from '../training-run.js'
import { integer, oneOf, positiveNumber, wholeNumber } from '../usage.js'

interface PruneOptions {
  readonly data: string
  readonly amount: number
  readonly importance: Criterion
  readonly scope: Scope
  readonly multipleOf: number
  readonly images: number
  readonly epochs?: number
  readonly learningRate?: number
  readonly batch?: number
  readonly seed: number
  readonly skipBad?: true
  readonly engine?: EngineName
  readonly threads?: number
  readonly out?: string
  readonly json?: true
}

/** What the folder has beside the files of a run. */
const pruneFiles = { pruned: 'pruned.safetensors', account: 'pruning.json' } as const

export function pruneCommand(): Command {
  return withEngineOptions(new Command('prune'))
    .description('leave out the channels that a model needs least')
    .argument('<file>', 'a model that fovea saved, or the folder of a run')
    .requiredOption('--data <data>', 'cifar10, fashion-mnist, a folder of images or a packed file')
    .requiredOption('--amount <part>', 'the part of the multiply-adds that goes: 0.5', positiveNumber('--amount', 1))
    .option(
      '--importance <by>',
      `what decides which channels go: ${criteria.join(', ')}`,
      oneOf('--importance', criteria),
      'l2',
    )
    .option(
      '--scope <scope>',
      `${scopes.join(' or ')}: whether layers are weighed against each other, or all lose the same part`,
      oneOf('--scope', scopes),
      'global',
    )
    .option('--multiple-of <n>', 'layers keep a multiple of so many channels', wholeNumber('--multiple-of', 1), 8)
    .option(
      '--images <n>',
      'training images from which importance (taylor) and statistics of norms are estimated',
      wholeNumber('--images', 1),
      2048,
    )
    .option('--epochs <n>', 'train what is left for so long, by the recipe of the model', wholeNumber('--epochs', 1))
    .option(
      '--learning-rate <x>',
      "the highest of that training (default: a quarter of the recipe's)",
      positiveNumber('--learning-rate'),
    )
    .option('--batch <n>', "images a step of that training (default: the recipe's)", wholeNumber('--batch', 1))
    .option('--seed <n>', 'of that training, and of random importance', integer('--seed'), 0)
    .option('--skip-bad', 'leave out images that cannot be read')
    .option('--out <folder>', 'where all is kept; replaces no file (default: runs/MODEL-pruned, or …-2, …)')
    .option('--json', 'print JSON')
    .action(run)
}

async function run(file: string, options: PruneOptions): Promise<void> {
  const output = createOutput(options.json === true, { leavesFiles: true })
  const model = readModel(file)
  const folder = new RunFolder(options.out ?? freeRunFolder(`${model.name}-pruned`))
  folder.checkNew()
  checkNewFiles(
    Object.values(pruneFiles).map(name => folder.file(name)),
    '--out',
  )
  const found = await findData(options.data, { skipBad: options.skipBad === true, ...imagesFor(model) })
  checkFound(model, found)
  const data = await loading(output, load => found.open(load))
  const engine = openEngine(options, output)

  const { amount, importance, scope, multipleOf, seed } = options
  const images = take(data.train, Math.min(options.images, data.train.length), seed)
  const { model: pruned, sets } = await pruneChannels(model, {
    amount,
    importance,
    scope,
    multipleOf,
    images,
    seed,
    engine,
  })
  const { accuracy } = await evaluate(pruned, data.test, { engine })
  output.result({ event: 'pruned', accuracy, layers: sets })
  output.show(formatTable(columns, sets.map(row)))
  output.say(`without training: ${percent(accuracy)} of ${withCommas(data.test.length)} images`)

  const release = folder.lock()
  try {
    const start = folder.file(options.epochs === undefined ? runFiles.model : pruneFiles.pruned)
    await writeCheckpoint(start, { model: pruned })
  } finally {
    release()
  }
  if (options.epochs !== undefined && !(await tune(pruned, data.train.length, folder, options, output))) {
    output.warn(`once that is done, compare: ${foveaCommand('compare', file, folder.path, '--data', options.data)}`)
    return
  }
  const after = readModel(folder.model)
  const account = await accountOf({ file, model, after, path: folder.model, data, engine, output })
  await writeFileAtomic(folder.file(pruneFiles.account), `${JSON.stringify({ ...account, layers: sets }, null, 2)}\n`)
  output.result(account)
  output.say(`model    ${folder.model}`)
}

/** Trains what is left. @returns whether it came to its end */
function tune(
  model: Model,
  images: number,
  folder: RunFolder,
  options: PruneOptions,
  output: Output,
): Promise<boolean> {
  const { data, epochs, learningRate, batch, seed, engine, threads, skipBad } = options
  const recipe = defaultRecipe(model.name)
  const { schedule } = resolveSettings(model, images, { recipe, ...(batch && { batchSize: batch }) })
  return runTraining(
    {
      ...{ model: model.name, data, from: folder.file(pruneFiles.pruned), recipe, precision: 'float32', seed },
      // What is trained already is not to be learned anew.
      learningRate: learningRate ?? peakRate(schedule) / 4,
      ...(epochs && { epochs }),
      ...(batch && { batch }),
      ...(engine && { engine }),
      ...(threads && { threads }),
      ...(skipBad && { skipBad }),
    },
    { folder, resume: false, output, title: `${model.name}, pruned` },
  )
}

interface Both {
  /** As the command line has it. */
  readonly file: string
  readonly model: Model
  readonly after: Model
  readonly path: string
  readonly data: DataSplits
  readonly engine: Engine
  readonly output: Output
}

/** What a model holds and does; parameters kept and removed add up to those of the original. */
interface Account extends Omit<ComparedModel, 'layers'> {
  readonly kept: number
  readonly removed: number
  readonly fileBytes: number
}

/** The model as it was and as it is, measured in turns. */
async function accountOf({
  file,
  model,
  after,
  path,
  data,
  engine,
  output,
}: Both): Promise<Record<'before' | 'after', Account>> {
  const subjects = [
    { name: file, saved: true, model, data },
    { name: path, saved: true, model: after, data },
  ]
  const planned = planRows(subjects, { precisions: ['float32'], seed: 0 })
  const progress = new StagedProgress()
  const { signal, release } = onInterrupt(() => progress.stop())
  try {
    const rows = await measureRows(planned, { engine, steps: TIMED_STEPS, signal, progress, say: output.say })
    progress.stop()
    output.show(`\n${formatComparison(rows, Math.min(process.stdout.columns || 100, 100))}`)
    const files = [modelFile(file), path].map(name => statSync(name).size)
    output.say(`file     ${formatBytes(files[0])} → ${formatBytes(files[1])}`)
    const [before, now] = rows.map(({ layers: _, ...row }, i) => ({
      ...row,
      kept: row.parameters,
      removed: rows[0].parameters - row.parameters,
      fileBytes: files[i],
    }))
    return { before, after: now }
  } finally {
    progress.stop()
    release()
  }
}

const TIMED_STEPS = 20

const columns = [
  { title: 'channels made by', shrinkTo: 8 },
  { title: 'were', align: 'right' as const },
  { title: 'are', align: 'right' as const },
]

const row = ({ name, channels, kept }: PrunedSet): string[] => [name, withCommas(channels), withCommas(kept)]
