/** @file All that decides the bits of a run, resolved from what the caller gave and the model's recipe. */
import { augmentationSetting, type SettledAugmentation } from '../data/augment/augmentation.js'
import type { Augmentation } from '../data/dataset.js'
import { InvalidArgumentError, SettingError } from '../errors.js'
import { parameterNodes } from '../graph/graph.js'
import type { Model } from '../models/model.js'
import { modelOf, model as modelSetting } from '../models/model-setting.js'
import type { Precision } from '../passes/mixed-precision.js'
import type { NormStatistics } from '../passes/training-mode.js'
import { checkArguments, group, partial, type Rows, type Settled } from '../settings/group.js'
import { choice, list, number, text, thing, whole } from '../settings/kinds.js'
import type { Setting } from '../settings/setting.js'
import type { EarlyStopping } from './early-stopping.js'
import type { Distillation } from './features/distillation.js'
import { checkGroups, checkMatch, type ParameterGroup } from './features/parameter-groups.js'
import type { Pruning } from './features/pruning.js'
import type { WeightAverage } from './features/weight-average.js'
import type { ClassWeights } from './labels.js'
import type { LabelForm, Loss } from './loss.js'
import type { OptimizerOptions } from './optimizers/index.js'
import { overridden, overrideSetting, type SettingValue } from './override.js'
import { defaultRecipe, type RecipeName, recipeNames, recipeOf, recipeSettings } from './recipes/index.js'
import type { ScheduleOptions } from './schedules/index.js'
import { type ResolvedSettings, runSettings, trainingSettings } from './settings-table.js'
import type { TestTimeAugmentation } from './test-time-augmentation.js'
import { type TrainingState, trainingState } from './training-state.js'

/** What decides the bits of a run, beside its model, data and epochs. A resumed run must have the same. */
export interface TrainingSettings {
  /** Images a step. Default: the recipe's. */
  readonly batchSize: number
  /** Give `optimizer` and `schedule` together; without them, the recipe of the model decides (train/recipes). */
  readonly optimizer: OptimizerOptions
  readonly schedule: ScheduleOptions
  /** Parameters that train otherwise, or not. Default: the recipe's. */
  readonly groups: readonly ParameterGroup[]
  /** Of the weights, over the steps. Default: the recipe's. */
  readonly average?: WeightAverage
  /** What is learned from the teacher that the run is given. Default: nothing. */
  readonly distillation?: Distillation
  /** Which weights are 0, and stay so. Default: whichever are, and they train. */
  readonly pruning?: Pruning
  /** Default `cross-entropy`. */
  readonly loss: Loss
  /** How labels are fed: class indices, or rows with a 1 at the class. The result is the same. Mixed images need rows. */
  readonly labels: LabelForm
  readonly labelSmoothing: number
  /** How much an image of each class counts. Default: all alike. */
  readonly classWeights?: ClassWeights
  /** Ends the run early. Default: it goes to its end. */
  readonly earlyStopping?: EarlyStopping
  readonly augmentation: Augmentation
  /** Parts of a batch that run one after another, for less memory; norms see a part at a time. Default 1. */
  readonly accumulate: number
  /** The longest norm of all gradients together; longer ones are cut. Default: any. */
  readonly clipNorm?: number
  /** Of which images norms take their statistics. Default `batch`. */
  readonly normStatistics: NormStatistics
  /** Default `float32`. */
  readonly precision: Precision
  /** Patterns over the names of layers that stay float32. Default: the last. */
  readonly keepFloat32?: readonly string[]
  /** Of the order of images, their augmentation, dropout. Default 0. */
  readonly seed: number
  /** Views of each held-out image for a last measurement beside the one without. Default `none`. */
  readonly testTimeAugmentation: TestTimeAugmentation
}

/** Which recipe fills in what is not given. */
export interface RecipeChoice {
  /** Default: the model's (`defaultRecipe`). Not beside an optimizer of one's own. */
  readonly recipe?: RecipeName
  /** The highest learning rate, instead of the recipe's. */
  readonly learningRate?: number
  /** Patterns over the names of parameters that stay as they are. */
  readonly freeze?: readonly string[]
  /** Beside the augmentations of the recipe, instead of those of the same kind. */
  readonly augment?: Augmentation
  /** Last of all, single values by the path of a setting: `{ 'optimizer.momentum': 0.8 }`; `none` leaves out what can be. */
  readonly override?: Readonly<Record<string, SettingValue>>
}

/** The rows of `RecipeChoice`. */
const recipeChoice = {
  recipe: choice('what fills in the rest', recipeNames).optional(),
  learningRate: number("the highest learning rate (default: the recipe's, for the batch)", { above: 0 }).optional(),
  freeze: list(
    'parameters that stay as they are: conv1.*,layer1.*',
    'patterns over names of parameters',
    text('a pattern'),
  ).optional(),
  augment: augmentationSetting.optional(),
  override: overrideSetting.optional(),
} satisfies Rows<RecipeChoice>

/** What a run may be asked for; the recipe decides the rest. */
export const askedSettings = { ...partial(trainingSettings), ...recipeChoice }

const asked = group('what a run is asked for', askedSettings)

/**
 * Fills in what was not given. With an optimizer of one's own, labels are not smoothed and images not augmented unless asked.
 * @param images how many there are to train on: the most that a batch has, unless it is given
 * @throws SettingError for settings that make no run
 */
export const resolveSettings = (
  model: Model,
  images: number,
  given: Partial<TrainingSettings> & RecipeChoice,
): ResolvedSettings => resolve(modelOf(model), images, asked.parse(given, ''))

/** The same of settings that have been read. */
export function resolve(model: Model, images: number, given: Settled<typeof askedSettings>): ResolvedSettings {
  const { recipe, learningRate, freeze = [], augment = {}, override = {}, ...own } = given
  const { optimizer, schedule } = own
  if ((optimizer === undefined) !== (schedule === undefined)) {
    const missing = optimizer === undefined ? 'optimizer' : 'schedule'
    throw new SettingError(missing, 'missing; give optimizer and schedule together, or neither: a recipe has both')
  }
  if (optimizer && (recipe !== undefined || learningRate !== undefined)) {
    throw new SettingError(
      recipe === undefined ? 'learningRate' : 'recipe',
      'give an optimizer and a schedule, or a recipe and its learning rate, not both',
    )
  }
  const names = parameterNodes(model.graph).map(({ name }) => name)
  for (const pattern of freeze) checkMatch(pattern, names, 'freeze')
  const name = recipe ?? defaultRecipe(model.name)
  const batchSize = own.batchSize ?? fittingBatch(recipeOf(name).batchSize, images)
  const base = optimizer
    ? {}
    : recipeSettings(name, model, { batchSize, ...(learningRate === undefined ? {} : { learningRate }) })
  const settings = runSettings.parse({ ...base, ...own, batchSize }, '')
  const all = {
    ...settings,
    groups: [...freeze.map(match => ({ match, rate: 0, from: 0 })), ...settings.groups],
    augmentation: withAugmentation(settings.augmentation, augment),
  }
  return withRowsOfLabels(overridden(all, override))
}

/** Weights by class and mixed images need rows. */
const withRowsOfLabels = (settings: ResolvedSettings): ResolvedSettings =>
  settings.classWeights || settings.augmentation.mix ? { ...settings, labels: 'one-hot' } : settings

/** Of so few images that a last, partial batch would be a good part of them, batches are smaller, and leave out next to none. */
function fittingBatch(batchSize: number, images: number): number {
  if (images >= 10 * batchSize) return batchSize
  return Math.floor(images / Math.ceil(images / batchSize))
}

/** A crop of either kind takes the place of the other. */
function withAugmentation(base: SettledAugmentation, more: SettledAugmentation): SettledAugmentation {
  const { crop, resizedCrop, ...rest } = base
  const crops = more.crop || more.resizedCrop ? {} : { ...(crop && { crop }), ...(resizedCrop && { resizedCrop }) }
  return { ...crops, ...rest, ...more }
}

/** How often a run passes over its training images. */
export const epochsSetting = whole('passes over the training images', { from: 1 })

/** Empty where the images are not known yet. */
const fingerprint = (about: string): Setting<string> =>
  thing(about, 'text', 'a text', (value): value is string => typeof value === 'string')

const checkedTogether = {
  model: modelSetting,
  settings: runSettings,
  epochs: epochsSetting,
  data: group('the fingerprints of its images', {
    data: fingerprint('of those to train on'),
    heldOut: fingerprint('of those held out').optional(),
  } satisfies Rows<Pick<TrainingState, 'data' | 'heldOut'>>),
  resume: trainingState.optional(),
}

/**
 * Checks a run before it starts, and that a resumed one is the same run.
 * @param data the fingerprints of its images
 * @throws InvalidArgumentError naming the setting
 */
export function checkSettings(
  model: Model,
  settings: TrainingSettings,
  epochs: number,
  data: Pick<TrainingState, 'data' | 'heldOut'>,
  resume: TrainingState | undefined,
): void {
  checkArguments(checkedTogether, { model, settings, epochs, data, resume })
  checkRun(model, runSettings.parse(settings, ''), epochs, data, resume)
}

/** The same of settings that have been read. */
export function checkRun(
  model: Model,
  run: ResolvedSettings,
  epochs: number,
  data: Pick<TrainingState, 'data' | 'heldOut'>,
  resume: TrainingState | undefined,
): void {
  checkGroups(
    run.groups,
    parameterNodes(model.graph).map(({ name }) => name),
  )
  const { batchSize, accumulate } = run
  if (batchSize % accumulate !== 0) {
    throw new SettingError(
      'accumulate',
      `expected a number that divides the batch of ${batchSize} images into equal parts, got ${accumulate}`,
    )
  }
  if (resume === undefined) return
  const now: Record<string, unknown> = { ...run, epochs }
  const was = settingsOf(resume)
  const changed = Object.keys({ ...was, ...now }).find(key => canonical(now[key]) !== canonical(was[key]))
  if (changed !== undefined) {
    const [before, after] = [was[changed], now[changed]].map(value => JSON.stringify(value) ?? 'none')
    throw new SettingError(changed, `the run was started with ${before}, it cannot go on with ${after}`)
  }
  const others = [
    ...(resume.data === data.data ? [] : ['training']),
    // A run that began without held-out images may go on with some.
    ...(resume.heldOut === undefined || resume.heldOut === data.heldOut ? [] : ['held-out']),
  ]
  if (others.length > 0) {
    throw new InvalidArgumentError(
      `the ${others.join(' and ')} images are not those the run was started with: it cannot go on; ` +
        'put them back as they were, or start a new run',
    )
  }
}

/** What a run was started with; what a saved state lacks has its default. */
function settingsOf({ settings }: TrainingState): Record<string, unknown> {
  const { epochs, ...rest } = settings
  try {
    return { ...runSettings.parse(rest, ''), epochs }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new SettingError('resume', `the run cannot go on: its settings are none of this version of Fovea (${why})`)
  }
}

/** JSON with sorted keys: equal for equal data. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, entry: unknown) =>
    typeof entry === 'object' && entry !== null && !Array.isArray(entry)
      ? Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)))
      : entry,
  )
}
