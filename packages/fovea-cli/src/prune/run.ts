/** @file The work of `fovea prune`: takes channels or weights, trains what is left, and puts both models side by side. */
import { existsSync } from 'node:fs'
import {
  type Dataset,
  defaultRecipe,
  type Engine,
  type Evaluation,
  evaluate,
  FoveaError,
  type Model,
  peakRate,
  resolveSettings,
  take,
} from 'fovea'
import { accountOf } from '../account/account.js'
import { accountText } from '../account/table.js'
import { accountFiles, writeAccount } from '../account/write.js'
import { readModel, writeCheckpoint } from '../checkpoint-file.js'
import type { LoadedData } from '../data/index.js'
import { type EngineOptions, openEngine } from '../engines.js'
import { measuredImages, sayDoubts } from '../measured-images.js'
import { checkFound, dataName, findData, imagesFor, loading } from '../open-data.js'
import { type Output, percent, withCommas } from '../output.js'
import { RunFolder } from '../run-folder.js'
import { formatTable } from '../table.js'
import { carryTrainedImages, readTrainedImages, type TrainedImages } from '../trained-images.js'
import { runTraining } from '../training-run.js'
import { isGradual, type MethodOptions, type PrunedPart, pruneAtOnce, pruningEntries, weightParts } from './methods.js'
import { type PrunePlan, planFile, resumePruning, writePlan } from './plan.js'

export interface PruneRequest extends MethodOptions, EngineOptions {
  readonly data: string
  readonly images: number
  readonly learningRate?: number
  readonly batch?: number
  readonly skipBad?: true
}

/** Where what was taken at once lies until it is trained: a folder in that of the run. */
const START = 'pruned'

/** All files that a folder of `fovea prune` may have, beside those of a run. */
export const filesOf = (folder: RunFolder): string[] => [
  planFile(folder),
  folder.file(START),
  ...accountFiles.map(name => folder.file(name)),
]

/** In a folder that is taken. @param plan of a run that goes on; else it is `arguments` alone, and nothing is there yet */
export async function runPruning(
  file: string,
  request: PruneRequest,
  { folder, plan, output }: { readonly folder: RunFolder; readonly plan: PrunePlan; readonly output: Output },
): Promise<void> {
  if (existsSync(folder.file(accountFiles[0]))) {
    throw new FoveaError(`'${folder.path}' is done: its account is in '${folder.file('account.html')}'`)
  }
  const model = readModel(file)
  const trained = readTrainedImages(file)
  const found = await findData(request.data, { skipBad: request.skipBad === true, ...imagesFor(model) })
  checkFound(model, found)
  const data = await loading(output, load => found.open(load))
  if (data.train.length === 0)
    throw new FoveaError(`'${request.data}' has no train images: it was packed to measure models only`)
  const measured = measuredImages([
    { name: file, data, trained },
    // On these images what is left is trained, or its norms are measured.
    { name: folder.path, data, trained: { fingerprint: data.train.fingerprint } },
  ])
  sayDoubts(measured, output)
  const [images] = measured.images
  const engine = openEngine({ engine: request.engine, threads: request.threads }, output)

  if (isGradual(request)) await writePlan(folder, plan)
  const pruned = isGradual(request)
    ? undefined
    : (plan.pruned ?? (await takeAtOnce(model, request, { plan, trained, data, images, engine, folder, output })))
  let evaluation: Evaluation | undefined
  if (request.epochs !== undefined && !isTrained(folder)) {
    evaluation = await tune(file, model, { folder, request, data, output })
    if (evaluation === undefined) return
  }
  const after = readModel(folder.model)
  const known = evaluation && images === data.test ? { evaluation } : {}
  const account = await accountOf(
    { name: file, model },
    { name: folder.path, model: after, ...known },
    { images, engine, output },
  )
  const layers = pruned?.layers ?? weightParts(after)
  output.show(`\n${accountText(account)}`)
  const title = `${model.name}, pruned, on ${dataName(images)}`
  const unit = request.method === 'channels' ? 'channels' : 'weights'
  const bars = layers.map(({ name, channels, weights = channels ?? 0, kept }) => ({
    name,
    before: weights,
    after: kept,
  }))
  await writeAccount(folder, { title, account, layers, bars, unit })
  output.result(account)
  output.say(`model    ${folder.model}`)
  output.say(`account  ${folder.file('account.html')}`)
}

interface Taking {
  readonly plan: PrunePlan
  readonly trained: TrainedImages
  readonly data: LoadedData
  /** To be measured on. */
  readonly images: Dataset
  readonly engine: Engine
  readonly folder: RunFolder
  readonly output: Output
}

/** Takes what goes, and keeps what is left: as the result, or as what training starts from. */
async function takeAtOnce(
  model: Model,
  request: PruneRequest,
  { plan, trained, data, images, engine, folder, output }: Taking,
): Promise<NonNullable<PrunePlan['pruned']>> {
  const some = take(data.train, Math.min(request.images, data.train.length), request.seed)
  const { model: left, layers } = await pruneAtOnce(model, request, { images: some, engine })
  const { accuracy } = await evaluate(left, images, { engine })
  const pruned = { layers, accuracy }
  output.result({ event: 'pruned', ...pruned })
  output.show(formatTable(columns, layers.map(row)))
  output.say(`without training: ${percent(accuracy)} of ${withCommas(images.length)} images`)
  const start = request.epochs === undefined ? folder : new RunFolder(folder.file(START))
  await writePlan(folder, plan)
  await writeCheckpoint(start.model, { model: left })
  await carryTrainedImages(start.path, trained)
  await writePlan(folder, { ...plan, pruned })
  return pruned
}

const isTrained = (folder: RunFolder): boolean => folder.ownRecord()?.times.finished !== undefined

interface Tuning {
  readonly folder: RunFolder
  readonly request: PruneRequest
  readonly data: LoadedData
  readonly output: Output
}

/** Trains what is left, or while weights go. @returns what it came to, if it came to its end */
function tune(file: string, { name: model, ...rest }: Model, { folder, request, data, output }: Tuning) {
  const { epochs, learningRate, batch, distill, seed, engine, threads, skipBad } = request
  const recipe = defaultRecipe(model)
  const given = { recipe, ...(batch && { batchSize: batch }) }
  const { schedule } = resolveSettings({ name: model, ...rest }, data.train.length, given)
  const pruning = pruningEntries(request)
  return runTraining(
    {
      ...{ model, data: request.data, recipe, precision: 'float32', seed },
      from: isGradual(request) ? file : folder.file(START),
      // What is trained already is not to be learned anew.
      learningRate: learningRate ?? peakRate(schedule) / 4,
      ...(pruning && { pruning }),
      ...(distill && { distill: file }),
      ...(epochs && { epochs }),
      ...(batch && { batch }),
      ...(engine && { engine }),
      ...(threads && { threads }),
      ...(skipBad && { skipBad }),
    },
    { folder, resume: folder.hasBegun, output, title: `${model}, pruned`, data, resumedBy: resumePruning(folder) },
  )
}

const columns = [
  { title: 'layer', shrinkTo: 8 },
  { title: 'what', align: 'left' as const },
  { title: 'were', align: 'right' as const },
  { title: 'are', align: 'right' as const },
]

const row = ({ name, channels, weights = 0, kept }: PrunedPart): string[] => [
  name,
  channels === undefined ? 'weights' : 'channels',
  withCommas(channels ?? weights),
  withCommas(kept),
]
