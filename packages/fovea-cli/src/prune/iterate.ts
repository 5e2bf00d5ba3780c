/**
 * @file `fovea prune --iterations`: channels go in equal parts, and the model is trained after each. Each iteration but the last lies in a
 * folder of its own, which shows whether it is done; the last is the run of the command.
 */
import { existsSync } from 'node:fs'
import { type Evaluation, evaluate, type Model, pruneIteratively, take } from 'fovea'
import { readModel, writeCheckpoint } from '../checkpoint-file.js'
import type { Original } from '../open-original.js'
import { type Output, percent, withCommas } from '../output.js'
import { RunFolder } from '../run-folder.js'
import { carryTrainedImages } from '../trained-images.js'
import { isTuned, StoppedError, type TuneRequest, tune } from '../tune.js'
import { channelOptions, type MethodOptions, type PrunedPart } from './methods.js'
import { prunePlans } from './plan.js'

/** Where the iterations before the last lie, by number, in the folder of the command. */
export const ITERATIONS = 'iterations'

export interface IterateRequest extends MethodOptions, Omit<TuneRequest, keyof MethodOptions> {
  readonly images: number
}

/** What is left of each layer, and what the last training came to, if it was done just now. */
export interface Iterated {
  readonly layers: readonly PrunedPart[]
  readonly evaluation: Evaluation | undefined
}

export interface Iterating {
  readonly folder: RunFolder
  readonly output: Output
  /** The name of the folder in which what is left lies until it is trained. */
  readonly start: string
  /** Called before anything is kept. */
  readonly begin: () => Promise<void>
}

/** @throws StoppedError if a training was interrupted */
export async function iterate(
  { file, model, trained, data, images, engine }: Original,
  iterations: number,
  request: IterateRequest,
  { folder, output, start, begin }: Iterating,
): Promise<Iterated> {
  let evaluation: Evaluation | undefined
  /** Keeps what is left, before it is trained. */
  const keep = async (pruned: Model, path: RunFolder, name: string): Promise<void> => {
    const { accuracy } = await evaluate(pruned, images, { engine })
    output.result({ event: 'pruned', iteration: name, accuracy })
    output.say(`${name}, without training: ${percent(accuracy)} of ${withCommas(images.length)} images`)
    await begin()
    await carryTrainedImages(path.path, trained)
    await writeCheckpoint(path.model, { model: pruned })
  }
  const { sets } = await pruneIteratively(model, {
    ...{ amount: request.amount!, iterations, ...channelOptions(request), engine },
    images: take(data.train, Math.min(request.images, data.train.length), request.seed),
    train: async (pruned, iteration) => {
      const run = iteration === iterations ? folder : new RunFolder(folder.file(`${ITERATIONS}/${iteration}`))
      if (!isTuned(run)) {
        const name = `iteration ${iteration} of ${iterations}`
        const from = new RunFolder(run.file(start))
        if (!existsSync(from.model)) await keep(pruned, from, name)
        evaluation = await tune(model, request, {
          ...{ original: file, start: from.path, slower: 1 / 4, folder: run, title: `${model.name}, pruned: ${name}` },
          ...{ data, output, resumedBy: prunePlans.resumedBy(folder) },
        })
        if (evaluation === undefined) throw new StoppedError('interrupted')
      }
      return readModel(run.model)
    },
  })
  return { layers: sets, evaluation }
}
