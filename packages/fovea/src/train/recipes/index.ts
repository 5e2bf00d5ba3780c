/**
 * @file The recipes by name. A recipe is chosen by name or by the model; options replace single numbers, and
 * `fovea train --recipe NAME --explain` prints what it comes to.
 */
import type { Augmentation } from '../../data/dataset.js'
import type { Model } from '../../models/model.js'
import { choice, text } from '../../settings/kinds.js'
import type { ParameterGroup } from '../features/parameter-groups.js'
import { peakRate, withPeakRate } from '../schedules/index.js'
import { adam } from './adam.js'
import { efficientnet } from './efficientnet.js'
import { fast } from './fast.js'
import { finetune } from './finetune.js'
import { keras } from './keras.js'
import { linearProbe } from './linear-probe.js'
import { oneCycle } from './one-cycle.js'
import { paper } from './paper.js'
import type { Recipe } from './recipe.js'

/** The recipes by name, in the order in which help lists them. */
export const recipes = {
  'one-cycle': oneCycle,
  adam,
  fast,
  finetune,
  'linear-probe': linearProbe,
  paper,
  efficientnet,
  keras,
} as const satisfies Record<string, Recipe>

/** A key of `recipes`. */
export type RecipeName = keyof typeof recipes
/** The names of `recipes`. */
export const recipeNames = Object.keys(recipes) as RecipeName[]

const recipeSetting = choice('what fills in the rest', recipeNames)

/**
 * What a model is trained with unless asked otherwise.
 * @param model its name
 */
export function defaultRecipe(model: string): RecipeName {
  const name = text("a model's name").parse(model, 'model')
  return name === 'cnn' ? 'keras' : name === 'speednet' ? 'fast' : 'one-cycle'
}

/** What a recipe comes to for a model and a batch size. */
export interface RecipeSettings
  extends Omit<Recipe, 'about' | 'pretrained' | 'batchSize' | 'steps' | 'referenceBatch' | 'augmentation' | 'groups'> {
  readonly groups: readonly ParameterGroup[]
  readonly augmentation: Augmentation
}

/**
 * The settings of a run by a recipe.
 * @param options `learningRate`: the highest, taken as it is for any batch
 * @throws InvalidArgumentError for an unknown recipe
 */
export function recipeSettings(
  name: RecipeName,
  model: Model,
  options: { readonly batchSize: number; readonly learningRate?: number },
): RecipeSettings {
  const {
    about: _,
    pretrained: __,
    batchSize: ___,
    steps: ____,
    referenceBatch,
    schedule,
    augmentation,
    groups,
    ...rest
  } = recipeOf(name)
  const { batchSize } = options
  const scale = Math.min(1, batchSize / (referenceBatch ?? batchSize))
  const rate = options.learningRate ?? scale * peakRate(schedule)
  const imageSize = Math.min(...model.preprocessing.size.slice(0, 2))
  return {
    ...rest,
    schedule: withPeakRate(schedule, rate),
    groups: groups?.(model) ?? [],
    augmentation: augmentation(imageSize),
  }
}

/** @throws InvalidArgumentError for an unknown recipe */
export function recipeOf(name: RecipeName): Recipe {
  return recipes[recipeSetting.parse(name, 'recipe')]
}
