/** @file The work of `fovea prune`: takes channels or weights, trains what is left, and puts both models side by side. */
import { evaluate, graphMultiplyAdds, take } from 'fovea'
import { accountOf } from '../account/account.js'
import { parameterAccounts } from '../account/parameters.js'
import { accountFiles, reportAccount } from '../account/write.js'
import { readModel, writeCheckpoint } from '../checkpoint-file.js'
import { dataName } from '../open-data.js'
import { type Original, openOriginal } from '../open-original.js'
import { percent, withCommas } from '../output.js'
import type { PlannedWork } from '../plan.js'
import { RunFolder } from '../run-folder.js'
import { formatTable } from '../table.js'
import { carryTrainedImages } from '../trained-images.js'
import { isTuned, tune, unlessStopped } from '../tune.js'
import { ITERATIONS, type Iterated, type IterateRequest, iterate } from './iterate.js'
import {
  checkGradual,
  checkNotGone,
  isGradual,
  type PrunedPart,
  pruneAtOnce,
  pruningEntries,
  weightParts,
} from './methods.js'
import { type PruneFindings, prunePlans } from './plan.js'

/** What is asked for. */
export type PruneRequest = IterateRequest

/** Where what was taken at once lies until it is trained: a folder in that of the run. */
const START = 'pruned'

/** All files that a folder of `fovea prune` may have, beside its plan and those of a run. */
export const filesOf = (folder: RunFolder): string[] =>
  [START, ITERATIONS, ...accountFiles].map(name => folder.file(name))

export async function runPruning(
  file: string,
  request: PruneRequest,
  { folder, plan, output }: PlannedWork<PruneFindings>,
): Promise<void> {
  const trainImages = 'on which what is left is trained, or its norms are measured'
  const original = await openOriginal(file, request, { into: folder.path, trainImages, output })
  const { model, data, images, engine } = original

  checkNotGone(model, request)
  const { iterations } = request
  const begin = (): Promise<void> => prunePlans.write(folder, plan)
  let pruned: Partial<Iterated> = {}
  if (iterations !== undefined) {
    const iterated = await unlessStopped(
      iterate(original, iterations, request, { folder, output, start: START, begin }),
    )
    if (iterated === undefined) return
    pruned = iterated
  } else if (isGradual(request)) {
    checkGradual(model, request)
    await begin()
  } else pruned = plan.pruned ?? (await takeAtOnce(original, request, { plan, folder, output }))
  let { evaluation } = pruned
  if (request.epochs !== undefined && !isTuned(folder)) {
    const pruning = pruningEntries(request)
    evaluation = await tune(model, request, {
      ...{ original: file, start: isGradual(request) ? file : folder.file(START), slower: 1 / 4 },
      ...{ folder, title: `${model.name}, pruned`, data, output, resumedBy: prunePlans.resumedBy(folder) },
      ...(pruning && { settings: { pruning } }),
    })
    if (evaluation === undefined) return
  }
  const after = readModel(folder.model)
  const known = evaluation && images === data.test ? { evaluation } : {}
  const account = await accountOf(
    { name: file, model },
    { name: folder.path, model: after, ...known },
    { images, engine, output },
  )
  const layers = pruned.layers ?? weightParts(after)
  const bars = layers.map(({ name, channels, weights = channels ?? 0, kept }) => ({
    name,
    before: weights,
    after: kept,
  }))
  const unit = request.method === 'channels' ? 'channels' : 'weights'
  const title = `${model.name}, pruned, on ${dataName(images)}`
  const parameters = parameterAccounts(model, after)
  await reportAccount(folder, { title, account, parameters, layers, bars, unit }, output)
}

/** Takes what goes, and keeps what is left: as the result, or as what training starts from. */
async function takeAtOnce(
  { model, trained, data, images, engine }: Original,
  request: PruneRequest,
  { plan, folder, output }: PlannedWork<PruneFindings>,
): Promise<NonNullable<PruneFindings['pruned']>> {
  const some = take(data.train, Math.min(request.images, data.train.length), request.seed)
  const { model: left, layers } = await pruneAtOnce(model, request, { images: some, engine })
  const { accuracy } = await evaluate(left, images, { engine })
  const pruned = { layers, accuracy }
  const gone = 1 - graphMultiplyAdds(left.graph) / graphMultiplyAdds(model.graph)
  if (request.method === 'channels' && gone > request.amount! + UNASKED) {
    const { multipleOf = 8 } = request
    output.warn(
      `${percent(gone)} of the multiply-adds go, where --amount ${request.amount} was asked for: ` +
        `layers keep multiples of ${multipleOf} channels, and a smaller --multiple-of comes closer`,
    )
  }
  output.result({ event: 'pruned', ...pruned })
  output.show(formatTable(columns, layers.map(row)))
  output.say(`without training: ${percent(accuracy)} of ${withCommas(images.length)} images`)
  const start = request.epochs === undefined ? folder : new RunFolder(folder.file(START))
  await prunePlans.write(folder, plan)
  await writeCheckpoint(start.model, { model: left })
  await carryTrainedImages(start.path, trained)
  await prunePlans.write(folder, { ...plan, pruned })
  return pruned
}

/** So much more than was asked for is said: a part of the multiply-adds. */
const UNASKED = 0.03

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
