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

/** With fewer, it was measured (resnet8, 3 images of clothes), rates come out at a tenth of those that more images give. */
const LEAST_IMAGES = 20

/** What a search on a data set came to. */
export interface FoundLearningRate extends LearningRateSearch {
  /** How often each image was seen. The more often, the more a falling loss tells of learning by heart. */
  readonly passes: number
}

/**
 * Trains a copy of the model for some steps while the rate grows exponentially, and suggests a learning rate.
 * The same seed gives the same numbers. The model is left as it was.
 * @throws InvalidArgumentError for rates, steps, settings or data that do not fit, or too few images; DivergenceError if no rate keeps the
 *   loss finite; FoveaError if it falls at none; EngineError for a step that needs more memory than there is
 */
export async function findLearningRate(model: Model, options: FindLearningRateOptions): Promise<FoundLearningRate> {
  const { data, engine = await defaultEngine(), lowest = 1e-6, highest = 10, steps = 100 } = options
  if (!(lowest > 0 && lowest < highest && highest < Number.POSITIVE_INFINITY)) {
    throw new InvalidArgumentError(`rates must grow from above 0: from ${lowest} to ${highest} they do not`)
  }
  if (!Number.isSafeInteger(steps) || steps < LEAST_STEPS) {
    throw new InvalidArgumentError(`a search takes a whole number of at least ${LEAST_STEPS} steps, got ${steps}`)
  }
  const images = data.train.length
  if (images < LEAST_IMAGES) {
    throw new InvalidArgumentError(
      `${images} image${images === 1 ? ' is' : 's are'} too few to find a learning rate by: ` +
        `a search takes at least ${LEAST_IMAGES} to train on`,
    )
  }
  const settings = resolveSettings(model, images, {
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
  const found = (): FoundLearningRate => ({
    ...suggestRate(tried, steps),
    passes: (tried.length * settings.batchSize) / images,
  })
  try {
    await compiled.begin(model.weights)
    for (let epoch = 0; ; epoch++) {
      let step = 0
      for await (const batch of epochs.batches(epoch)) {
        const rate = lowest * (highest / lowest) ** (tried.length / (steps - 1))
        const { loss } = await compiled.run(batch, { epoch, step: step++ }, rate)
        if (!Number.isFinite(loss)) return found()
        const last = { learningRate: rate, loss }
        tried.push(last)
        options.onStep?.(last)
        if (tried.length === steps || hasDiverged(tried, steps)) return found()
      }
    }
  } finally {
    compiled.dispose()
  }
}
