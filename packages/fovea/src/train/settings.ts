/** @file All that decides the bits of a run, resolved from what the caller gave and the model's recipe. */
import type { Augmentation } from '../data/dataset.js'
import { InvalidArgumentError } from '../errors.js'
import type { TrainingState } from '../formats/checkpoint.js'
import { type Attributes, parameterNodes } from '../graph/graph.js'
import type { Model } from '../models/model.js'
import type { Precision } from '../passes/mixed-precision.js'
import type { NormStatistics } from '../passes/training-mode.js'
import { checkEarlyStopping, type EarlyStopping } from './early-stopping.js'
import type { ClassWeights } from './labels.js'
import type { OptimizerOptions } from './optimizers/index.js'
import { overridden, type SettingValue } from './override.js'
import { checkGroups, type ParameterGroup } from './parameter-groups.js'
import { defaultRecipe, type RecipeName, recipeOf, recipeSettings } from './recipes/index.js'
import type { ScheduleOptions } from './schedules/index.js'
import type { TestTimeAugmentation } from './test-time-augmentation.js'
import type { Loss } from './training-graph.js'
import { checkAverage, type WeightAverage } from './weight-average.js'

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
  /** Default `cross-entropy`. */
  readonly loss: Loss
  /** How labels are fed: class indices, or rows with a 1 at the class. The result is the same. Mixed images need rows. */
  readonly labels: 'index' | 'one-hot'
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
  /** Patterns over the names of layers that stay float32. Default: the first and the last. */
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

/**
 * Fills in what was not given. With an optimizer of one's own, labels are not smoothed and images not augmented unless asked.
 * @param images how many there are to train on: the most that a batch has, unless it is given
 * @throws InvalidArgumentError for settings that make no run
 */
export function resolveSettings(
  model: Model,
  images: number,
  given: Partial<TrainingSettings> & RecipeChoice,
): TrainingSettings {
  const { recipe, learningRate, optimizer, schedule, loss = 'cross-entropy', precision = 'float32', seed = 0 } = given
  const own = optimizer && schedule
  if (!own && (optimizer !== undefined || schedule !== undefined)) {
    throw new InvalidArgumentError('give optimizer and schedule together, or neither: a recipe has both')
  }
  if (own && (recipe !== undefined || learningRate !== undefined)) {
    throw new InvalidArgumentError('give an optimizer and a schedule, or a recipe and its learning rate, not both')
  }
  const name = recipe ?? defaultRecipe(model.name)
  const batchSize = given.batchSize ?? fittingBatch(recipeOf(name).batchSize, images)
  const base: Partial<TrainingSettings> & Pick<TrainingSettings, 'optimizer' | 'schedule'> = own
    ? { optimizer, schedule }
    : recipeSettings(name, model, { batchSize, ...(learningRate === undefined ? {} : { learningRate }) })
  const average = given.average ?? base.average
  const clipNorm = given.clipNorm ?? base.clipNorm
  const classWeights = given.classWeights ?? base.classWeights
  const earlyStopping = given.earlyStopping ?? base.earlyStopping
  const augmentation = withAugmentation(given.augmentation ?? base.augmentation ?? {}, given.augment ?? {})
  const { keepFloat32, override = {} } = given
  const settings: TrainingSettings = {
    batchSize,
    optimizer: base.optimizer,
    schedule: base.schedule,
    groups: [...(given.freeze ?? []).map(match => ({ match, rate: 0 })), ...(given.groups ?? base.groups ?? [])],
    ...(average && { average }),
    loss,
    // Weights by class and mixed images need rows.
    labels: classWeights || augmentation.mix ? 'one-hot' : (given.labels ?? base.labels ?? 'index'),
    labelSmoothing: given.labelSmoothing ?? base.labelSmoothing ?? 0,
    ...(classWeights && { classWeights }),
    ...(earlyStopping && { earlyStopping }),
    augmentation,
    accumulate: given.accumulate ?? 1,
    ...(clipNorm === undefined ? {} : { clipNorm }),
    normStatistics: given.normStatistics ?? base.normStatistics ?? 'batch',
    precision,
    ...(keepFloat32 && { keepFloat32 }),
    seed,
    testTimeAugmentation: given.testTimeAugmentation ?? base.testTimeAugmentation ?? 'none',
  }
  return overridden(settings, override)
}

/** Of so few images that a last, partial batch would be a good part of them, batches are smaller, and leave out next to none. */
function fittingBatch(batchSize: number, images: number): number {
  if (images >= 10 * batchSize) return batchSize
  return Math.floor(images / Math.ceil(images / batchSize))
}

/** A crop of either kind takes the place of the other. */
function withAugmentation(base: Augmentation, more: Augmentation): Augmentation {
  const { crop, resizedCrop, ...rest } = base
  const crops = more.crop || more.resizedCrop ? {} : { ...(crop && { crop }), ...(resizedCrop && { resizedCrop }) }
  return { ...crops, ...rest, ...more }
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
  if (!Number.isSafeInteger(epochs) || epochs < 1) {
    throw new InvalidArgumentError(`epochs must be a whole number of at least 1, got ${epochs}`)
  }
  if (!Number.isSafeInteger(settings.seed)) {
    throw new InvalidArgumentError(`the seed must be a whole number, got ${settings.seed}`)
  }
  const names = parameterNodes(model.graph).map(({ name }) => name)
  checkGroups(settings.groups, names)
  if (settings.average) checkAverage(settings.average)
  if (settings.earlyStopping) checkEarlyStopping(settings.earlyStopping)
  const { batchSize, accumulate, clipNorm } = settings
  if (!(Number.isSafeInteger(accumulate) && accumulate >= 1 && batchSize % accumulate === 0)) {
    throw new InvalidArgumentError(
      `accumulate must divide the batch of ${batchSize} images into equal parts, got ${accumulate}`,
    )
  }
  if (clipNorm !== undefined && !(clipNorm > 0)) {
    throw new InvalidArgumentError(`clipNorm must be a number above 0, got ${clipNorm}`)
  }
  if (resume === undefined) return
  const now: Attributes = { ...settings, epochs } as unknown as Attributes
  const changed = Object.keys(now).find(key => canonical(now[key]) !== canonical(resume.settings[key]))
  if (changed !== undefined) {
    const [was, is] = [resume.settings[changed], now[changed]].map(value => JSON.stringify(value))
    throw new InvalidArgumentError(`the run was started with ${changed} ${was}, it cannot go on with ${is}`)
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

/** JSON with sorted keys: equal for equal data. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, entry: unknown) =>
    typeof entry === 'object' && entry !== null && !Array.isArray(entry)
      ? Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)))
      : entry,
  )
}
