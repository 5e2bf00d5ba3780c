/**
 * @file The recipes by name. A recipe is chosen by name or by the model; options replace single numbers, and
 * `fovea train --recipe NAME --explain` prints what it comes to.
 */
import type { Augmentation } from '../../data/dataset.js'
import { unknownName } from '../../errors.js'
import { peakRate, withPeakRate } from '../schedules/index.js'
import { fast } from './fast.js'
import { keras } from './keras.js'
import { oneCycle } from './one-cycle.js'
import { paper } from './paper.js'
import type { Recipe } from './recipe.js'

/** The recipes by name, in the order in which help lists them. */
export const recipes = { 'one-cycle': oneCycle, fast, paper, keras } as const satisfies Record<string, Recipe>

/** A key of `recipes`. */
export type RecipeName = keyof typeof recipes
/** The names of `recipes`. */
export const recipeNames = Object.keys(recipes) as RecipeName[]

/** What a model is trained with unless asked otherwise. */
export const defaultRecipe = (model: string): RecipeName =>
  model === 'cnn' ? 'keras' : model === 'speednet' ? 'fast' : 'one-cycle'

/** What a recipe comes to for a batch size and an image size. */
export interface RecipeSettings
  extends Omit<Recipe, 'about' | 'batchSize' | 'steps' | 'referenceBatch' | 'augmentation'> {
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
  const { about: _, batchSize: __, steps: ___, referenceBatch, schedule, augmentation, ...rest } = recipeOf(name)
  const { imageSize, batchSize } = options
  const scale = Math.min(1, batchSize / (referenceBatch ?? batchSize))
  const rate = options.learningRate ?? scale * peakRate(schedule)
  return { ...rest, schedule: withPeakRate(schedule, rate), augmentation: augmentation(imageSize) }
}

/** @throws InvalidArgumentError for an unknown recipe */
export function recipeOf(name: RecipeName): Recipe {
  if (!Object.hasOwn(recipes, name)) throw unknownName('recipe', name, recipeNames)
  return recipes[name]
}
