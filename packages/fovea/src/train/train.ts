/** @file Training a model: all is checked and compiled, then the run goes to its end (run.ts). */
import type { Dataset } from '../data/dataset.js'
import { defaultEngine } from '../engines/default.js'
import { InvalidArgumentError } from '../errors.js'
import type { Model, Weights } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { group } from '../settings/group.js'
import { type ClassificationMeasures, classificationOf } from './classification.js'
import { type EvaluateOptions, type Evaluation, Evaluator, evaluate, evaluateSettings } from './evaluate.js'
import { distillationSetting } from './features/distillation.js'
import { fixedFeatures } from './fixed-features.js'
import { Run } from './run.js'
import { planRun } from './run-plan.js'
import { hasEnded, startOf } from './run-state.js'
import type { ResolvedSettings } from './settings-table.js'
import { type TrainOptions, trainOptions } from './train-options.js'
import type { EpochMetrics } from './training-state.js'
import { TrainingStep } from './training-step.js'

/** What a run leaves. */
export interface TrainingRun {
  readonly settings: ResolvedSettings
  /** With the trained weights; with early stopping, those of the best epoch. */
  readonly model: Model
  readonly history: readonly EpochMetrics[]
  /** Whether `signal` ended it early. */
  readonly interrupted: boolean
  /** Loss and accuracy on the held-out images, or on others. */
  evaluate(dataset?: Dataset, options?: Pick<EvaluateOptions, 'testTimeAugmentation'>): Promise<Evaluation>
}

const views = group('how the held-out images are shown', {
  testTimeAugmentation: evaluateSettings.testTimeAugmentation,
})

/**
 * Trains a model.
 * @returns the trained model; the one given is left as it was
 * @throws InvalidArgumentError for settings, data or a state that do not fit; DivergenceError, naming the step, when the
 *   loss is no longer a finite number; EngineError for a step that needs more memory than there is
 */
export async function train(model: Model, options: TrainOptions): Promise<TrainingRun> {
  modelOf(model)
  const { data, epochs: length, engine: chosen, memory, memoryLimitBytes, ...more } = trainOptions.parse(options, '')
  const { resume, signal, onStart, onStep, onEpoch, save, saveSeconds, teacher, ...own } = more
  // A teacher is asked, unless it is said how, as usual.
  const asked =
    teacher && own.distillation === undefined ? { ...own, distillation: distillationSetting.parse({}, '') } : own
  const plan = planRun(model, data, length, asked, resume)
  const { settings, epochs, validation } = plan

  const engine = chosen ?? (await defaultEngine())
  const limits = memoryLimitBytes === undefined ? {} : { memoryLimitBytes }
  const measuring = { ...measured(settings), ...limits }
  const task = classificationOf(model, settings, data.train)
  // What trains: the model, or what is left of it where the features of the images are known.
  const isDone = resume !== undefined && hasEnded(startOf(model, settings, resume), epochs, settings)
  const fixed = isDone ? undefined : await fixedFeatures(model, plan, engine, { ...limits, signal })
  const part = fixed ?? { ...plan, model, whole: (weights: Weights) => weights }
  const compiled = await TrainingStep.compile(part.model, task, engine, part.settings, part.passes, {
    ...{ ...limits, memory, epochs },
    ...(teacher && { teacher }),
  })
  let evaluator: Evaluator<ClassificationMeasures> | undefined
  try {
    evaluator =
      part.validation &&
      (await Evaluator.compile(part.model, task, engine, {
        ...{ ...measured(part.settings), ...limits },
        batchSize: Math.min(settings.batchSize, part.validation.length),
      }))
    const partPlan = { ...plan, passes: part.passes, validation: part.validation }
    const observers = { resume, signal, onStart, onStep, onEpoch, saveSeconds }
    const { final, ...result } = await new Run(part.model, partPlan, compiled, evaluator, {
      ...{ ...observers, save: save && savingWhole(save, model, part.whole), features: fixed?.report },
    }).toEnd()
    const trained = { ...model, weights: part.whole(final.weights) }
    return {
      ...{ settings, model: trained, ...result },
      evaluate: async (dataset = plan.test, options = {}) => {
        if (dataset === undefined) {
          throw new InvalidArgumentError('evaluate needs a data set: the run had none held out')
        }
        const shown = views.parse(options, '')
        const isMeasured = dataset === validation && shown.testTimeAugmentation === 'none'
        if (isMeasured && final.evaluation) return final.evaluation
        return evaluate(trained, dataset, { ...measuring, loss: settings.loss, engine, ...shown })
      },
    }
  } finally {
    compiled.dispose()
    evaluator?.dispose()
  }
}

/** How a run measures. */
const measured = ({ precision, batchSize, keepFloat32 }: ResolvedSettings) => ({
  ...{ precision, batchSize },
  ...(keepFloat32 && { keepFloat32 }),
})

type Save = NonNullable<TrainOptions['save']>

/** Saves a whole model, whatever part of it trains. */
const savingWhole =
  (save: Save, model: Model, whole: (weights: Weights) => Weights): Save =>
  ({ model: { weights }, ...checkpoint }, { best, ...moment }) =>
    save(
      { ...checkpoint, model: { ...model, weights: whole(weights) } },
      { ...moment, ...(best && { best: { ...model, weights: whole(best.weights) } }) },
    )
