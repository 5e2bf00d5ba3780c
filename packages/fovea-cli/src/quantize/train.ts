/**
 * @file `--method qat`: the model learns to bear integers before it becomes them. What it starts from and the training each
 * have a folder in that of the run, so that one that was killed goes on where it was.
 */
import { connectionsOf, convertQuantization, type Dataset, prepareQuantization } from 'fovea'
import { readModel, writeCheckpoint } from '../checkpoint-file.js'
import type { Original } from '../open-original.js'
import type { Output } from '../output.js'
import type { Plan } from '../plan.js'
import { RunFolder } from '../run-folder.js'
import { carryTrainedImages } from '../trained-images.js'
import { isTuned, type TuneRequest, tune } from '../tune.js'
import { type MethodOptions, preparation, type Quantized } from './methods.js'
import { type QuantizeFindings, quantizePlans } from './plan.js'

const PREPARED = 'prepared'
const TRAINED = 'trained'

/** The folders that it leaves in that of the run. */
export const trainingFolders: readonly string[] = [PREPARED, TRAINED]

export interface QuantizedTraining {
  readonly plan: Plan<QuantizeFindings>
  /** They show ranges. */
  readonly images: Dataset
  readonly folder: RunFolder
  readonly output: Output
}

/** The highest rate, as a part of the recipe's: what is learned already is to change a little (Wu et al. 2020, arXiv 2004.09602). */
const SLOWER = 1 / 100

/** Speednet's is about norms: they are folded. */
const INSTEAD = { fast: 'one-cycle' } as const

/** @returns undefined if it was interrupted */
export async function trainQuantized(
  { file, model, trained, data, engine }: Original,
  request: MethodOptions & TuneRequest,
  { plan, images, folder, output }: QuantizedTraining,
): Promise<Quantized | undefined> {
  const start = new RunFolder(folder.file(PREPARED))
  const run = new RunFolder(folder.file(TRAINED))
  const prepare = async () => {
    await quantizePlans.write(folder, plan)
    const { model: prepared, layers } = await prepareQuantization(model, { images, engine, ...preparation(request) })
    await writeCheckpoint(start.model, { model: prepared })
    await carryTrainedImages(start.path, trained)
    await quantizePlans.write(folder, { ...plan, layers })
    return layers
  }
  const layers = plan.layers ?? (await prepare())
  if (!isTuned(run)) {
    const evaluation = await tune(model, request, {
      ...{ original: file, start: start.path, folder: run, title: `${model.name}, trained for integers` },
      ...{ instead: INSTEAD, slower: SLOWER },
      // What has been pruned stays so.
      ...(connectionsOf(model).some(({ kept, weights }) => kept < weights) && { settings: { pruning: ['kept'] } }),
      ...{ data, output, resumedBy: quantizePlans.resumedBy(folder) },
    })
    if (evaluation === undefined) return undefined
  }
  return { model: convertQuantization(readModel(run.model)), layers }
}
