/**
 * @file The learning-rate range test (Smith 2015, arXiv 1506.01186, section 3.3): a short training whose rate grows from
 * step to step, and what its loss says about the rate to train with. The steps are those of a run.
 */
import { defaultEngine } from '../engines/default.js'
import type { CompileOptions } from '../engines/engine.js'
import { compileSettings, engine } from '../engines/engine-setting.js'
import { SettingError } from '../errors.js'
import type { Model } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { memorySetting } from '../passes/recompute.js'
import { group, partial, type Rows } from '../settings/group.js'
import { callback, number, whole } from '../settings/kinds.js'
import { checkDataset } from './check-dataset.js'
import { classificationOf } from './classification.js'
import { Epochs } from './epochs.js'
import { hasDiverged, type LearningRateSearch, suggestRate, type TriedRate } from './rate-suggestion.js'
import { askedSettings, checkRun, type RecipeChoice, resolve, type TrainingSettings } from './settings.js'
import { trainingSettings } from './settings-table.js'
import { dataSetting, type TrainOptions } from './train-options.js'
import type { LossScaleState } from './training-state.js'
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
  /** After each step. The next one waits for a promise that it returns; what it throws ends the search. */
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

const { optimizer, schedule: _, ...others } = partial(trainingSettings)

/** The table of `FindLearningRateOptions`. */
const searchOptions = group('a search for a learning rate', {
  data: dataSetting,
  ...others,
  optimizer,
  recipe: askedSettings.recipe,
  ...compileSettings,
  engine,
  memory: memorySetting,
  lowest: number('the rate of the first step', { above: 0 }).default(1e-6),
  highest: number('the rate of the last step', { above: 0 }).default(10),
  steps: whole('from the lowest rate to the highest', { from: LEAST_STEPS }).default(100),
  onStep: callback<NonNullable<FindLearningRateOptions['onStep']>>('after each step').optional(),
} satisfies Rows<FindLearningRateOptions>)

/**
 * Trains a copy of the model for some steps while the rate grows exponentially, and suggests a learning rate.
 * The same seed gives the same numbers. The model is left as it was.
 * @throws InvalidArgumentError for rates, steps, settings or data that do not fit, or too few images; DivergenceError if no rate keeps the
 *   loss finite; FoveaError if it falls at none; EngineError for a step that needs more memory than there is
 */
export async function findLearningRate(model: Model, options: FindLearningRateOptions): Promise<FoundLearningRate> {
  modelOf(model)
  const { data, engine: chosen, memory, memoryLimitBytes, ...more } = searchOptions.parse(options, '')
  const { lowest, highest, steps, onStep, ...asked } = more
  if (lowest >= highest) {
    throw new SettingError('lowest', `rates must grow: from ${lowest} to ${highest} they do not`)
  }
  const images = data.train.length
  if (images < LEAST_IMAGES) {
    throw new SettingError(
      'data.train',
      `${images} image${images === 1 ? ' is' : 's are'} too few to find a learning rate by: ` +
        `a search takes at least ${LEAST_IMAGES} to train on`,
    )
  }
  const settings = resolve(model, images, {
    ...asked,
    ...(asked.optimizer && { schedule: { type: 'constant', rate: lowest, warmupSteps: 0 } as const }),
  })
  checkRun(model, settings, 1, { data: data.train.fingerprint }, undefined)
  checkDataset(model, data.train)
  const epochs = new Epochs(model, data.train, settings)
  const task = classificationOf(model, settings, data.train)
  const compiled = await TrainingStep.compile(model, task, chosen ?? (await defaultEngine()), settings, epochs, {
    ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
    memory,
    epochs: Math.ceil(steps / epochs.steps),
  })
  const tried: TriedRate[] = []
  const found = (): FoundLearningRate => ({
    ...suggestRate(tried, steps),
    passes: (tried.length * settings.batchSize) / images,
  })
  try {
    await compiled.begin(model.weights)
    let lossScale: LossScaleState | undefined
    for (let epoch = 0; ; epoch++) {
      let step = 0
      for await (const batch of epochs.batches(epoch)) {
        const rate = lowest * (highest / lowest) ** (tried.length / (steps - 1))
        const result = await compiled.run(batch, { epoch, step: step++, lossScale }, rate)
        const { loss } = result
        lossScale = result.lossScale
        if (!Number.isFinite(loss)) return found()
        const last = { learningRate: rate, loss }
        tried.push(last)
        await onStep?.(last)
        if (tried.length === steps || hasDiverged(tried, steps)) return found()
      }
    }
  } finally {
    compiled.dispose()
  }
}
