/** @file `fovea train --compare-scratch`: what it gains to begin from a trained model, by the same run from new weights. */
import { join } from 'node:path'
import { defaultRecipe, type Evaluation, recipeOf } from 'fovea'
import { wilsonInterval } from './account/interval.js'
import { readCheckpoint } from './checkpoint-file.js'
import { openRunData } from './open-data.js'
import { type Output, percent } from './output.js'
import { RunFolder, resumeCommand } from './run-folder.js'
import type { RunRequest } from './run-record.js'
import { runTraining } from './training-run.js'

/** The folder of that run, in the folder of the other. */
const SCRATCH = 'scratch'

/**
 * Trains a model as it is trained from new weights: by its own recipe, on the same images, in batches of the same size and for as
 * many epochs. What it prints says so (`run`). Goes on where it was stopped.
 * @param pretrained what the run that began from a trained model came to
 */
export async function compareScratch(
  {
    from: _,
    compareScratch: __,
    freeze: ___,
    normStatistics: ____,
    learningRate: _____,
    normalize: ______,
    recipe,
    batch,
    ...request
  }: RunRequest,
  pretrained: Evaluation,
  folder: RunFolder,
  output: Output,
): Promise<void> {
  const own = defaultRecipe(request.model)
  // At the size that the trained model takes.
  const data = await openRunData(request, output, readCheckpoint(folder.model).model)
  const asked = { ...request, recipe: own, batch: batch ?? recipeOf(recipe ?? own).batchSize }
  const scratch = new RunFolder(join(folder.path, SCRATCH))
  const told: Output = { ...output, result: value => output.result({ ...value, run: SCRATCH }) }
  output.say(`the same from new weights, by recipe ${own}:`)
  const evaluation = await runTraining(asked, {
    ...{ folder: scratch, resume: scratch.hasRun, data, output: told, resumedBy: resumeCommand(folder) },
  })
  if (evaluation === undefined) return
  const row = ({ accuracy, images }: Evaluation) => ({ accuracy, interval: wilsonInterval(accuracy, images) })
  const [before, after] = [row(evaluation), row(pretrained)]
  const gain = 100 * (after.accuracy - before.accuracy)
  output.result({ event: 'gain', points: gain, pretrained: after, scratch: before, images: evaluation.images })
  const shown = ({ accuracy, interval: [least, most] }: typeof before): string =>
    `${percent(accuracy)} (${percent(least)} to ${percent(most)})`
  output.say(
    `from new weights ${shown(before)}, from a trained model ${shown(after)}: ${gain >= 0 ? '+' : ''}${gain.toFixed(1)} points`,
  )
}
