/**
 * @file The learning-rate range test (Smith 2015, arXiv 1506.01186, section 3.3): a short training whose rate grows from
 * step to step, and what its loss says about the rate to train with. The steps are those of a run.
 */
import { defaultEngine } from '../engines/default.js'
import type { CompileOptions } from '../engines/engine.js'
import { InvalidArgumentError } from '../errors.js'
import type { Model } from '../models/model.js'
import { Epochs } from './epochs.js'
import { checkDataset } from './evaluate.js'
import { hasDiverged, type LearningRateSearch, suggestRate, type TriedRate } from './rate-suggestion.js'
import { checkSettings, type RecipeChoice, resolveSettings, type TrainingSettings } from './settings.js'
import type { TrainOptions } from './train.js'
import { TrainingStep } from './training-step.js'

/** The settings of the run that a rate is sought for (those not given come from the recipe), and which rates are tried. */
export interface FindLearningRateOptions
  extends Partial<Omit<TrainingSettings, 'schedule'>>,
    Pick<RecipeChoice, 'recipe'>,
    Pick<TrainOptions, 'data' | 'engine' | 'memory'>,
    CompileOptions {
  /** The rate of the first step. Default 1e-6. */
  readonly lowest?: number
  /** The rate of the last step. Default 10. */
  readonly highest?: number
  /** From the lowest rate to the highest; at least 50. Default 100. */
  readonly steps?: number
  /** After each step. What it throws ends the search. */
  readonly onStep?: (step: TriedRate) => void
}

const LEAST_STEPS = 50

/**
 * Trains a copy of the model for some steps while the rate grows exponentially, and suggests a learning rate.
 * The same seed gives the same numbers. The model is left as it was.
 * @throws InvalidArgumentError for rates, steps, settings or data that do not fit; DivergenceError if no rate keeps the
 *   loss finite; FoveaError if it falls at none; EngineError for a step that needs more memory than there is
 */
export async function findLearningRate(model: Model, options: FindLearningRateOptions): Promise<LearningRateSearch> {
  const { data, engine = await defaultEngine(), lowest = 1e-6, highest = 10, steps = 100 } = options
  if (!(lowest > 0 && lowest < highest && highest < Number.POSITIVE_INFINITY)) {
    throw new InvalidArgumentError(`rates must grow from above 0: from ${lowest} to ${highest} they do not`)
  }
  if (!Number.isSafeInteger(steps) || steps < LEAST_STEPS) {
    throw new InvalidArgumentError(`a search takes a whole number of at least ${LEAST_STEPS} steps, got ${steps}`)
  }
  const settings = resolveSettings(model, data.train.length, {
    ...options,
    ...(options.optimizer && { schedule: { type: 'constant', rate: lowest } }),
  })
  checkSettings(model, settings, 1, { data: data.train.fingerprint }, undefined)
  checkDataset(model, data.train)
  const epochs = new Epochs(model, data.train, settings)
  const compiled = new TrainingStep(model, engine, settings, epochs, {
    ...options,
    epochs: Math.ceil(steps / epochs.steps),
  })
  const tried: TriedRate[] = []
  try {
    await compiled.begin(model.weights)
    for (let epoch = 0; ; epoch++) {
      let step = 0
      for await (const batch of epochs.batches(epoch)) {
        const rate = lowest * (highest / lowest) ** (tried.length / (steps - 1))
        const { loss } = await compiled.run(batch, { epoch, step: step++ }, rate)
        if (!Number.isFinite(loss)) return suggestRate(tried, steps)
        const last = { learningRate: rate, loss }
        tried.push(last)
        options.onStep?.(last)
        if (tried.length === steps || hasDiverged(tried, steps)) return suggestRate(tried, steps)
      }
    }
  } finally {
    compiled.dispose()
  }
}
