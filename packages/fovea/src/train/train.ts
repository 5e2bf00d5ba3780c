/**
 * @file The training loop: batch after batch through one compiled step, an evaluation after each epoch, and a state that
 * can be saved after any step. A run that goes on from such a state gives the same bits as one that never stopped.
 */
import type { Dataset } from '../data/dataset.js'
import { defaultEngine } from '../engines/default.js'
import { DivergenceError, InvalidArgumentError, SettingError } from '../errors.js'
import type { Attributes } from '../graph/graph.js'
import type { Model, Weights } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { group } from '../settings/group.js'
import { checkDataset } from './check-dataset.js'
import { bestEpoch, bestSlots, bestWeights, stopsEarly } from './early-stopping.js'
import { Epochs } from './epochs.js'
import { type EvaluateOptions, type Evaluation, Evaluator, evaluate, evaluateSettings } from './evaluate.js'
import { Averaging } from './features/weight-average.js'
import { defaultRecipe, type RecipeName, recipeOf } from './recipes/index.js'
import { checkSettings, resolve } from './settings.js'
import type { ResolvedSettings } from './settings-table.js'
import { allFinite, type State } from './state.js'
import { type TrainOptions, trainOptions } from './train-options.js'
import type { Checkpoint, EpochMetrics } from './training-state.js'
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
  const { resume, signal, onStart, onStep, onEpoch, save, saveSeconds, ...asked } = more
  const settings = resolve(model, data.train.length, asked)
  const { batchSize, average, earlyStopping, loss, precision, keepFloat32 } = settings
  const { validation = data.test, test = validation } = data
  for (const images of [data.train, validation, test]) if (images) checkDataset(model, images)
  if (!validation && earlyStopping) {
    throw new SettingError('earlyStopping', 'it needs held-out images (data.validation or data.test)')
  }
  const passes = new Epochs(model, data.train, settings)
  const { steps } = passes
  const epochs = length ?? epochsOf(asked.recipe ?? defaultRecipe(model.name), steps)
  const heldOut = [...new Set([validation, test])].flatMap(images => images?.fingerprint ?? []).join('+')
  const images = { data: data.train.fingerprint, ...(heldOut !== '' && { heldOut }) }
  checkSettings(model, settings, epochs, images, resume)

  const engine = chosen ?? (await defaultEngine())
  const limits = memoryLimitBytes === undefined ? {} : { memoryLimitBytes }
  const compiled = new TrainingStep(model, engine, settings, passes, { ...limits, memory, epochs })
  const evaluation = { loss, precision, batchSize, ...(keepFloat32 && { keepFloat32 }), ...limits }
  const evaluator =
    validation && new Evaluator(model, engine, { ...evaluation, batchSize: Math.min(batchSize, validation.length) })
  const history: EpochMetrics[] = [...(resume?.history ?? [])]
  let { epoch, step, lossSum, correct } = resume ?? { epoch: 0, step: 0, lossSum: 0, correct: 0 }
  let best = resume && bestWeights(model, resume.slots)
  const ended = (): boolean =>
    epoch === epochs || (step === 0 && earlyStopping !== undefined && stopsEarly(history, earlyStopping))

  const checkpoint = ({ weights, slots }: State): Checkpoint => ({
    model: { ...model, weights },
    training: {
      settings: { ...settings, epochs } as unknown as Attributes,
      ...images,
      ...(compiled.lossScale && { lossScale: compiled.lossScale }),
      ...{ epoch, step, lossSum, correct, history },
      slots: new Map([...slots, ...(earlyStopping && best ? bestSlots(best) : [])]),
    },
  })
  const averaging = average && new Averaging(average)
  const kept = ({ weights, slots }: State): Weights => averaging?.kept(weights, slots) ?? weights
  const finish = (state: State): TrainingRun => {
    const trained = { ...model, weights: (earlyStopping && best) ?? kept(state) }
    return {
      settings,
      model: trained,
      history,
      interrupted: !ended(),
      evaluate: async (dataset = test, options = {}) => {
        if (dataset === undefined) {
          throw new InvalidArgumentError('evaluate needs a data set: the run had none held out')
        }
        return evaluate(trained, dataset, { ...evaluation, engine, ...views.parse(options, '') })
      },
    }
  }
  const stateAt = async (learningRate?: number): Promise<State> => {
    const state = await compiled.state()
    // The last update shows in no training loss any more.
    const at = { epoch, step, steps, ...(learningRate === undefined ? {} : { learningRate }) }
    if (!allFinite(state)) throw diverged('loss', Number.NaN, at)
    return state
  }

  try {
    await compiled.begin(model.weights, resume)
    let state = await compiled.state()
    let savedAt = performance.now()
    await onStart?.()
    while (!ended() && !signal?.aborted) {
      const firstStep = step
      const start = performance.now()
      const secondsSince = (time: number): number => (performance.now() - time) / 1000
      for await (const batch of passes.batches(epoch, step)) {
        const result = await compiled.run(batch, { epoch, step })
        const { loss, learningRate } = result
        step++
        lossSum += loss
        correct += result.correct
        if (!Number.isFinite(loss)) throw diverged('loss', loss, { epoch, step, steps, learningRate })
        const secondsEach = secondsSince(start) / (step - firstStep)
        await onStep?.({
          epoch: epoch + 1,
          epochs,
          step,
          steps,
          loss: lossSum / step,
          accuracy: correct / (step * batchSize),
          learningRate,
          imagesPerSecond: batchSize / secondsEach,
          secondsLeft: secondsEach * ((epochs - epoch) * steps - step),
          ...(compiled.lossScale && { lossScale: compiled.lossScale }),
        })
        if (step === steps) break
        const due = save !== undefined && secondsSince(savedAt) >= saveSeconds
        if (!signal?.aborted && !due) continue
        state = await stateAt(learningRate)
        await save?.(checkpoint(state), { epochEnded: false })
        savedAt = performance.now()
        if (signal?.aborted) return finish(state)
      }
      const imagesPerSecond = ((steps - firstStep) * batchSize) / secondsSince(start)
      state = await stateAt()
      const weights = kept(state)
      let metrics: EpochMetrics = { epoch: epoch + 1, loss: lossSum / steps, accuracy: correct / (steps * batchSize) }
      if (evaluator && validation) {
        await evaluator.load(weights)
        const { loss, accuracy } = await evaluator.evaluate(validation)
        if (!Number.isFinite(loss)) throw diverged('held-out loss', loss, { epoch, step, steps })
        metrics = { ...metrics, validationLoss: loss, validationAccuracy: accuracy }
      }
      history.push(metrics)
      const isBest =
        validation !== undefined && bestEpoch(history, earlyStopping?.minimumDelta ?? 0) === history.length - 1
      if (isBest) best = weights
      const { lossScale } = compiled
      const seconds = secondsSince(start)
      await onEpoch?.({ ...metrics, epochs, imagesPerSecond, seconds, ...(lossScale && { lossScale }) })
      epoch++
      step = lossSum = correct = 0
      const moment = { epochEnded: true, ...(isBest && { best: { ...model, weights } }) }
      await save?.(checkpoint(state), moment)
      savedAt = performance.now()
    }
    return finish(state)
  } finally {
    compiled.dispose()
    evaluator?.dispose()
  }
}

/** @throws SettingError where the recipe says nothing of its length */
function epochsOf(recipe: RecipeName, steps: number): number {
  const all = recipeOf(recipe).steps
  if (all === undefined) throw new SettingError('epochs', `missing; recipe '${recipe}' is for any number of them`)
  return Math.max(1, Math.round(all / steps))
}

function diverged(
  what: string,
  loss: number,
  at: { readonly epoch: number; readonly step: number; readonly steps: number; readonly learningRate?: number },
): DivergenceError {
  const rate = at.learningRate === undefined ? '' : `, at a learning rate of ${Number(at.learningRate.toPrecision(3))}`
  return new DivergenceError(
    `the ${what} is ${loss} at step ${at.step} of ${at.steps} in epoch ${at.epoch + 1}${rate}; ` +
      'try a lower learning rate, a larger batch or more warm-up',
  )
}
