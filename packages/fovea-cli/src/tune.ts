/** @file Trains a model on that was made of another one: by the recipe that the other was trained by, at a lower rate, in a run's folder. */
import {
  defaultRecipe,
  type Evaluation,
  type Model,
  type Precision,
  peakRate,
  type RecipeName,
  recipeOf,
  resolveSettings,
} from 'fovea'
import type { LoadedData } from './data/index.js'
import type { EngineOptions } from './engines.js'
import { InterruptError } from './interrupt.js'
import type { Output } from './output.js'
import { folderAround, type RunFolder } from './run-folder.js'
import type { RunRequest } from './run-record.js'
import { runTraining } from './training-run.js'

export interface TuneRequest extends EngineOptions {
  readonly data: string
  readonly epochs?: number
  /** Default: that of the run that left the original, else the model's. */
  readonly recipe?: RecipeName
  /** The highest. */
  readonly learningRate?: number
  readonly batch?: number
  /** Default `float32`. */
  readonly precision?: Precision
  /** Whether it learns from the original too. */
  readonly distill?: true
  readonly seed: number
  readonly skipBad?: true
}

export interface Tuning {
  /** The file of the original. */
  readonly original: string
  /** The model that training starts from: a file, or a run's folder. */
  readonly start: string
  /** Where the run is kept, or goes on. */
  readonly folder: RunFolder
  /** What takes the place of some recipes, unless they are asked for. */
  readonly instead?: Readonly<Partial<Record<RecipeName, RecipeName>>>
  /** The highest rate is this part of the recipe's, unless one is asked for. */
  readonly slower: number
  /** Over the run's picture. */
  readonly title: string
  /** What else the run is asked for: `{ pruning: ['kept'] }` */
  readonly settings?: Partial<RunRequest>
  readonly data: LoadedData
  readonly output: Output
  /** What a user types to go on. */
  readonly resumedBy: string
}

/** @returns what it came to on the test images; undefined if it was interrupted. @throws as runTraining */
export async function tune(
  { name: model, ...rest }: Model,
  {
    epochs,
    recipe: asked,
    learningRate,
    batch,
    precision = 'float32',
    distill,
    seed,
    engine,
    threads,
    simd,
    skipBad,
    data: spec,
  }: TuneRequest,
  { original, start, folder, instead = {}, slower, title, settings, data, output, resumedBy }: Tuning,
): Promise<Evaluation | undefined> {
  const own = ownRecipe(original, model)
  const recipe = asked ?? instead[own] ?? own
  const given = { recipe, ...(batch && { batchSize: batch }) }
  const { schedule } = resolveSettings({ name: model, ...rest }, data.train.length, given)
  const trained = await runTraining(
    {
      ...{ model, data: spec, recipe, precision, seed, from: start },
      // What is trained already is not to be learned anew.
      learningRate: learningRate ?? slower * peakRate(schedule),
      ...settings,
      ...(distill && { distill: original }),
      ...(epochs && { epochs }),
      ...(batch && { batch }),
      ...(engine && { engine }),
      ...(threads && { threads }),
      ...(simd && { simd }),
      ...(skipBad && { skipBad }),
    },
    { folder, resume: folder.hasBegun, output, title, data, resumedBy },
  )
  return trained?.evaluation
}

/** By which a model was trained from new weights, as the run says in whose folder it lies; else that of its kind. */
function ownRecipe(file: string, model: string): RecipeName {
  const recipe = folderAround(file)?.ownRecord()?.request.recipe
  return recipe === undefined || recipeOf(recipe).pretrained ? defaultRecipe(model) : recipe
}

/** The training was interrupted, has saved, and has said how to go on. */
export class StoppedError extends InterruptError {}

/** What work comes to; undefined if a training in it was interrupted. */
export async function unlessStopped<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof StoppedError) return undefined
    throw error
  }
}

/** Whether the run in a folder came to its end. */
export const isTuned = (folder: RunFolder): boolean => folder.ownRecord()?.times.finished !== undefined
