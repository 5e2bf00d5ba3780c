/** @file What a run is before it starts: its settings, resolved once, its images and its length, all checked against each other. */
import type { Dataset } from '../data/dataset.js'
import { SettingError } from '../errors.js'
import type { Model } from '../models/model.js'
import type { Settled } from '../settings/group.js'
import { checkDataset } from './check-dataset.js'
import { Epochs } from './epochs.js'
import { defaultRecipe, type RecipeName, recipeOf } from './recipes/index.js'
import { type askedSettings, checkRun, resolve } from './settings.js'
import type { ResolvedSettings } from './settings-table.js'
import type { TrainingData } from './train-options.js'
import type { TrainingState } from './training-state.js'

export interface RunPlan {
  readonly settings: ResolvedSettings
  /** The length of the run. */
  readonly epochs: number
  /** Over the training images. */
  readonly passes: Epochs
  /** What is measured after each epoch, and on what the run is evaluated in the end. */
  readonly validation: Dataset | undefined
  readonly test: Dataset | undefined
  /** The fingerprints of the images. */
  readonly images: Pick<TrainingState, 'data' | 'heldOut'>
}

/**
 * @param length in epochs. Default: as many as the recipe's steps make
 * @param asked the rest comes from the recipe
 * @param resume where the run goes on
 * @throws InvalidArgumentError for settings, data or a state that do not fit
 */
export function planRun(
  model: Model,
  { train, test: last, validation = last }: TrainingData,
  length: number | undefined,
  asked: Settled<typeof askedSettings>,
  resume: TrainingState | undefined,
): RunPlan {
  const settings = resolve(model, train.length, asked)
  const test = last ?? validation
  for (const images of [train, validation, test]) if (images) checkDataset(model, images)
  if (!validation && settings.earlyStopping) {
    throw new SettingError('earlyStopping', 'it needs held-out images (data.validation or data.test)')
  }
  const passes = new Epochs(model, train, settings)
  const epochs = length ?? epochsOf(asked.recipe ?? defaultRecipe(model.name), passes.steps)
  const heldOut = [...new Set([validation, test])].flatMap(images => images?.fingerprint ?? []).join('+')
  const images = { data: train.fingerprint, ...(heldOut !== '' && { heldOut }) }
  checkRun(model, settings, epochs, images, resume)
  return { settings, epochs, passes, validation, test, images }
}

/** @throws SettingError where the recipe says nothing of its length */
function epochsOf(recipe: RecipeName, steps: number): number {
  const all = recipeOf(recipe).steps
  if (all === undefined) throw new SettingError('epochs', `missing; recipe '${recipe}' is for any number of them`)
  return Math.max(1, Math.round(all / steps))
}
