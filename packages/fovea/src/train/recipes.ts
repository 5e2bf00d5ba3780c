/**
 * @file Training recipes: every number that a run is made of and that a user did not give, in one table, each with its
 * reason. A recipe is chosen by name or by the model; options replace single numbers.
 */
import type { Augmentation } from '../data/dataset.js'
import { unknownName } from '../errors.js'
import type { OptimizerOptions } from './optimizers/index.js'
import { peakRate, type ScheduleOptions, withPeakRate } from './schedules/index.js'

/** All that a run is made of but model, data, epochs and seed. */
export interface Recipe {
  /** One line for people. */
  readonly about: string
  readonly batchSize: number
  readonly optimizer: OptimizerOptions
  /** At `referenceBatch` images a step; where that is given, smaller batches take proportionally smaller steps. */
  readonly schedule: ScheduleOptions
  readonly referenceBatch?: number
  /** How labels are fed: class indices, or rows with a 1 at the class. */
  readonly labels: 'index' | 'one-hot'
  readonly labelSmoothing: number
  /** For images of `size` pixels. */
  readonly augmentation: (size: number) => Augmentation
}

/** The recipes by name. */
export const recipes = {
  'one-cycle': {
    about: 'SGD with Nesterov momentum, the rate up for a fifth of the run, then down to nothing',
    batchSize: 128,
    // Decay falls on weights only: on norms and biases it does harm (He et al. 2018, arXiv 1812.01187, section 3.1).
    optimizer: { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
    // Smith 2018 (arXiv 1803.09820): starts at a tenth of the peak, ends at a ten-thousandth.
    schedule: { type: 'one-cycle', peak: 0.4, warmup: 0.2, startDivisor: 10, endDivisor: 10_000 },
    // Linear scaling (Goyal et al. 2017, arXiv 1706.02677): 0.4 is for 128 images a step and diverges on a few.
    referenceBatch: 128,
    labels: 'index',
    labelSmoothing: 0.1,
    // He et al. 2015, section 4.2: 4 pixels of padding on images of 32, and mirroring.
    augmentation: size => ({ crop: { padding: Math.max(1, Math.round(size / 8)) }, flip: 'random' }),
  },
  keras: {
    about: 'Adam at 0.001 and categorical cross-entropy on one-hot labels, as the Keras tutorials train',
    batchSize: 32,
    optimizer: { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
    schedule: { type: 'constant', rate: 1e-3 },
    labels: 'one-hot',
    labelSmoothing: 0,
    augmentation: () => ({}),
  },
  paper: {
    about: "the ResNet paper's for CIFAR-10: SGD at 0.1, a tenth of it after half and three quarters of the run",
    // He et al. 2015, section 4.2: momentum without Nesterov, decay 1e-4, padding of 4 and mirroring.
    batchSize: 128,
    optimizer: { type: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 1e-4 },
    schedule: { type: 'step', rate: 0.1, milestones: [0.5, 0.75], factor: 0.1 },
    referenceBatch: 128,
    labels: 'index',
    labelSmoothing: 0,
    augmentation: size => ({ crop: { padding: Math.max(1, Math.round(size / 8)) }, flip: 'random' }),
  },
} as const satisfies Record<string, Recipe>

/** A key of `recipes`. */
export type RecipeName = keyof typeof recipes
/** The names, in the order in which help lists them. */
export const recipeNames = Object.keys(recipes) as RecipeName[]

/** What a model is trained with unless asked otherwise. */
export const defaultRecipe = (model: string): RecipeName => (model === 'cnn' ? 'keras' : 'one-cycle')

/** What a recipe comes to for a batch size and an image size. */
export interface RecipeSettings extends Pick<Recipe, 'optimizer' | 'schedule' | 'labels' | 'labelSmoothing'> {
  readonly augmentation: Augmentation
}

/**
 * The settings of a run by a recipe.
 * @param options `imageSize`: pixels of the shorter side; `learningRate`: the highest, taken as it is for any batch
 * @throws InvalidArgumentError for an unknown recipe
 */
export function recipeSettings(
  name: RecipeName,
  options: { readonly imageSize: number; readonly batchSize: number; readonly learningRate?: number },
): RecipeSettings {
  if (!Object.hasOwn(recipes, name)) throw unknownName('recipe', name, recipeNames)
  const { optimizer, schedule, referenceBatch, labels, labelSmoothing, augmentation }: Recipe = recipes[name]
  const { imageSize, batchSize } = options
  const scale = Math.min(1, batchSize / (referenceBatch ?? batchSize))
  const rate = options.learningRate ?? scale * peakRate(schedule)
  return {
    optimizer,
    schedule: withPeakRate(schedule, rate),
    labels,
    labelSmoothing,
    augmentation: augmentation(imageSize),
  }
}
