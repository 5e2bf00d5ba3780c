/** @file `fovea train --compare-scratch`: what it gains to begin from a trained model, by the same run from new weights. */
import { join } from 'node:path'
import { defaultRecipe, type Evaluation, recipeOf } from 'fovea'
import { pairedInterval, wilsonInterval } from './account/interval.js'
import { type Output, percent } from './output.js'
import { RunFolder, resumeCommand } from './run-folder.js'
import type { RunRequest } from './run-record.js'
import { runTraining, type TrainedRun } from './training-run.js'

/** The folder of that run, in the folder of the other. */
const SCRATCH = 'scratch'

/** Fewer are too few for SGD at a high rate: `one-cycle` has hardly begun to learn (see the recipe `adam`). */
const FEW_STEPS = 1000

/**
 * Trains a model as it is best trained from new weights, on the same images, in batches of the same size and for as many epochs: by its own
 * recipe or, in few steps, by `adam`. What it prints says so (`run`). Goes on where it was stopped.
 * @param run the one that began from a trained model
 */
export async function compareScratch(
  {
    from: _,
    compareScratch: __,
    freeze: ___,
    normStatistics: ____,
    learningRate: _____,
    normalize: ______,
    set: _______,
    recipe,
    batch,
    ...request
  }: RunRequest,
  { evaluation: pretrained, data }: TrainedRun,
  folder: RunFolder,
  output: Output,
): Promise<void> {
  const batchSize = batch ?? recipeOf(recipe ?? defaultRecipe(request.model)).batchSize
  const steps = Math.max(1, Math.floor(data.train.length / batchSize)) * (request.epochs ?? FEW_STEPS)
  const scratchRecipe = steps < FEW_STEPS ? 'adam' : defaultRecipe(request.model)
  const asked = { ...request, recipe: scratchRecipe, batch: batchSize }
  const scratch = new RunFolder(join(folder.path, SCRATCH))
  const told: Output = { ...output, result: value => output.result({ ...value, run: SCRATCH }) }
  output.say(`the same from new weights, by recipe ${scratchRecipe}:`)
  const trained = await runTraining(asked, {
    ...{ folder: scratch, resume: scratch.hasRun, data, output: told, resumedBy: resumeCommand(folder) },
  })
  if (trained === undefined) return
  const { evaluation } = trained
  const row = ({ accuracy, images }: Evaluation) => ({ accuracy, interval: wilsonInterval(accuracy, images) })
  const [before, after] = [row(evaluation), row(pretrained)]
  const gain = 100 * (after.accuracy - before.accuracy)
  const [isRight, wasRight] = [pretrained, evaluation].map(({ predictions }) =>
    predictions.map((label, i) => label === data.test.labels[i]),
  )
  const gained = isRight.filter((right, i) => right && !wasRight[i]).length
  const lost = wasRight.filter((right, i) => right && !isRight[i]).length
  const interval = pairedInterval(gained, lost, isRight.length).map(share => 100 * share)
  output.result({
    ...{ event: 'gain', points: gain, interval, pretrained: after, images: isRight.length },
    scratch: { ...before, recipe: scratchRecipe },
  })
  const shown = ({ accuracy, interval: [least, most] }: typeof before): string =>
    `${percent(accuracy)} (${percent(least)} to ${percent(most)})`
  output.say(
    `from new weights, by recipe ${scratchRecipe}, ${shown(before)}, from a trained model ${shown(after)}: ${signed(gain)} points ` +
      `(95 % interval ${interval.map(signed).join(' to ')})`,
  )
}

const signed = (points: number): string => `${points >= 0 ? '+' : ''}${points.toFixed(1)}`
