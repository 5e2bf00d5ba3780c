/**
 * @file Training recipes: every number that a run is made of and that a user did not give, in one table, each with its
 * reason. A recipe is chosen by name (`--recipe`) or by the model; options of the command line replace single numbers.
 */
import type { Augmentation } from 'fovea'

export interface Recipe {
  /** One line for people. */
  readonly about: string
  readonly optimizer:
    | { readonly type: 'sgd'; readonly momentum: number; readonly nesterov: boolean; readonly weightDecay: number }
    | { readonly type: 'adam' }
  /** The highest learning rate, at `referenceBatch` images a step; smaller batches take proportionally smaller steps. */
  readonly learningRate: number
  readonly referenceBatch?: number
  readonly schedule:
    | { readonly type: 'one-cycle'; readonly warmup: number; readonly initial: number; readonly final: number }
    | { readonly type: 'constant' }
  /** How labels are fed: class indices, or rows with a 1 at the class. */
  readonly labels: 'index' | 'one-hot'
  readonly labelSmoothing: number
  /** For images of `size` pixels. */
  readonly augmentation: (size: number) => Augmentation
  readonly batch: number
}

export const recipes = {
  'one-cycle': {
    about: 'SGD with Nesterov momentum, the rate up for a fifth of the run, then down to nothing',
    // Decay falls on weights only: on norms and biases it does harm (He et al. 2018, arXiv:1812.01187, section 3.1).
    optimizer: { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
    learningRate: 0.4,
    // Linear scaling (Goyal et al. 2017, arXiv:1706.02677): 0.4 is for 128 images a step and diverges on a few.
    referenceBatch: 128,
    // Smith 2018 (arXiv:1803.09820): starts at a tenth of the peak, ends at a ten-thousandth.
    schedule: { type: 'one-cycle', warmup: 0.2, initial: 1 / 10, final: 1 / 10_000 },
    labels: 'index',
    labelSmoothing: 0.1,
    // He et al. 2015, section 4.2: 4 pixels of padding on images of 32, and mirroring.
    augmentation: size => ({ cropPadding: Math.max(1, Math.round(size / 8)), flip: true }),
    batch: 128,
  },
  keras: {
    about: 'Adam at 0.001 and categorical cross-entropy on one-hot labels, as the Keras tutorials train',
    optimizer: { type: 'adam' },
    learningRate: 1e-3,
    schedule: { type: 'constant' },
    labels: 'one-hot',
    labelSmoothing: 0,
    augmentation: () => ({}),
    batch: 32,
  },
} as const satisfies Record<string, Recipe>

export type RecipeName = keyof typeof recipes
export const recipeNames = Object.keys(recipes) as RecipeName[]

/** What a model is trained with unless asked otherwise. */
export const defaultRecipe = (model: string): RecipeName => (model === 'cnn' ? 'keras' : 'one-cycle')

/** The peak learning rate for a batch size. */
export const learningRateFor = ({ learningRate, referenceBatch }: Recipe, batch: number): number =>
  referenceBatch === undefined ? learningRate : learningRate * Math.min(1, batch / referenceBatch)
