/** @file All that decides the bits of a run, resolved from what the caller gave and the model's recipe. */
import type { Augmentation } from '../data/dataset.js'
import { InvalidArgumentError } from '../errors.js'
import type { TrainingState } from '../formats/checkpoint.js'
import type { Attributes } from '../graph/graph.js'
import type { Model } from '../models/model.js'
import type { Precision } from '../passes/mixed-precision.js'
import type { OptimizerOptions } from './optimizers/index.js'
import { defaultRecipe, type RecipeName, recipeSettings, recipes } from './recipes.js'
import type { ScheduleOptions } from './schedules/index.js'
import type { Loss } from './training-graph.js'

/** What decides the bits of a run, beside its model, data and epochs. A resumed run must have the same. */
export interface TrainingSettings {
  /** Images a step. Default: the recipe's. */
  readonly batchSize: number
  /** Give `optimizer` and `schedule` together; without them, the recipe of the model decides (train/recipes.ts). */
  readonly optimizer: OptimizerOptions
  readonly schedule: ScheduleOptions
  /** Default `cross-entropy`. */
  readonly loss: Loss
  /** How labels are fed: class indices, or rows with a 1 at the class. The result is the same. Mixed images need rows. */
  readonly labels: 'index' | 'one-hot'
  readonly labelSmoothing: number
  readonly augmentation: Augmentation
  /** Default `float32`. */
  readonly precision: Precision
  /** Of the order of images, their augmentation, dropout. Default 0. */
  readonly seed: number
}

/** Which recipe fills in what is not given. */
export interface RecipeChoice {
  /** Default: the model's (`defaultRecipe`). Not beside an optimizer of one's own. */
  readonly recipe?: RecipeName
  /** The highest learning rate, instead of the recipe's. */
  readonly learningRate?: number
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
  const imageSize = Math.min(...model.preprocessing.size.slice(0, 2))
  const batchSize = given.batchSize ?? Math.min(recipes[name]?.batchSize ?? 1, images)
  const base = own
    ? { optimizer, schedule, labels: 'index' as const, labelSmoothing: 0, augmentation: {} }
    : recipeSettings(name, { imageSize, batchSize, ...(learningRate === undefined ? {} : { learningRate }) })
  const augmentation = given.augmentation ?? base.augmentation
  return {
    batchSize,
    optimizer: base.optimizer,
    schedule: base.schedule,
    loss,
    labels: augmentation.mix === undefined ? (given.labels ?? base.labels) : 'one-hot',
    labelSmoothing: given.labelSmoothing ?? base.labelSmoothing,
    augmentation,
    precision,
    seed,
  }
}

/**
 * Checks a run before it starts, and that a resumed one is the same run.
 * @param data the training data's fingerprint
 * @throws InvalidArgumentError naming the setting
 */
export function checkSettings(
  settings: TrainingSettings,
  epochs: number,
  data: string,
  resume: TrainingState | undefined,
): void {
  if (!Number.isSafeInteger(epochs) || epochs < 1) {
    throw new InvalidArgumentError(`epochs must be a whole number of at least 1, got ${epochs}`)
  }
  if (!Number.isSafeInteger(settings.seed)) {
    throw new InvalidArgumentError(`the seed must be a whole number, got ${settings.seed}`)
  }
  if (resume === undefined) return
  const now: Attributes = { ...settings, epochs } as unknown as Attributes
  const changed = Object.keys(now).find(key => canonical(now[key]) !== canonical(resume.settings[key]))
  if (changed !== undefined) {
    const [was, is] = [resume.settings[changed], now[changed]].map(value => JSON.stringify(value))
    throw new InvalidArgumentError(`the run was started with ${changed} ${was}, it cannot go on with ${is}`)
  }
  if (resume.data !== data) {
    throw new InvalidArgumentError('the training images are not those the run was started with: it cannot go on')
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
