/**
 * @file The training loop: batch after batch through one compiled step, an evaluation after each epoch, and a state that
 * can be saved after any step. A run that goes on from such a state gives the same bits as one that never stopped.
 */
import { batchCount, batchesOf, checkBatchOptions } from '../data/batches.js'
import type { Dataset } from '../data/dataset.js'
import { defaultEngine } from '../engines/default.js'
import type { CompileOptions, Engine } from '../engines/engine.js'
import { DivergenceError, InvalidArgumentError } from '../errors.js'
import type { Checkpoint, EpochMetrics, TrainingState } from '../formats/checkpoint.js'
import { type Attributes, inputNodes } from '../graph/graph.js'
import type { Model } from '../models/model.js'
import type { MemoryUse } from '../passes/recompute.js'
import { randomBits, randomKey, streamOf } from '../random.js'
import { checkDataset, type Evaluation, Evaluator, evaluate } from './evaluate.js'
import { dominantLabels, labelRows } from './labels.js'
import { countCorrect } from './metrics.js'
import { learningRateAt } from './schedules/index.js'
import { checkSettings, type RecipeChoice, resolveSettings, type TrainingSettings } from './settings.js'
import { allFinite, readState, type State, writeState } from './state.js'
import { trainingGraph } from './training-graph.js'

/** A run: its data, its length, its settings (those not given come from the recipe), and who is told of it. */
export interface TrainOptions extends Partial<TrainingSettings>, RecipeChoice, CompileOptions {
  /** Training images, and held-out images, which are measured after each epoch and decide nothing. */
  readonly data: { readonly train: Dataset; readonly test?: Dataset }
  readonly epochs: number
  /** Default: the native engine where it is built, else the reference engine. */
  readonly engine?: Engine
  /** `low` needs less memory and more time, for the same results. Default `standard`. */
  readonly memory?: MemoryUse
  /** Goes on from here; `model` is then the one that was saved with it. */
  readonly resume?: TrainingState
  /** Aborting it ends the run after the step under way; what was done is saved. */
  readonly signal?: { readonly aborted: boolean }
  /** Once all is checked and compiled, before the first step. */
  readonly onStart?: () => void | Promise<void>
  readonly onStep?: (progress: StepProgress) => void
  /** After each epoch, before it is saved. */
  readonly onEpoch?: (epoch: EpochReport) => void | Promise<void>
  /** Keeps a state from which the run can go on: after each epoch, now and then within a long one, and when interrupted. */
  readonly save?: (checkpoint: Checkpoint) => Promise<void>
}

/** Means over the epoch so far. */
export interface StepProgress {
  /** From 1. */
  readonly epoch: number
  readonly epochs: number
  /** Steps done of this epoch, and how many it has. */
  readonly step: number
  readonly steps: number
  readonly loss: number
  readonly accuracy: number
  readonly learningRate: number
  readonly imagesPerSecond: number
  /** For all epochs; an estimate. */
  readonly secondsLeft: number
}

/** What an epoch came to, and how long it took. */
export interface EpochReport extends EpochMetrics {
  /** Of training alone. */
  readonly imagesPerSecond: number
  /** With the evaluation. */
  readonly seconds: number
}

/** What a run leaves. */
export interface TrainingRun {
  /** With the trained weights. */
  readonly model: Model
  readonly history: readonly EpochMetrics[]
  /** Whether `signal` ended it early. */
  readonly interrupted: boolean
  /** Loss and accuracy on the held-out images, or on others. */
  evaluate(dataset?: Dataset): Promise<Evaluation>
}

/** Within a long epoch, what a crash can cost at most. */
const SAVE_SECONDS = 300

/**
 * Trains a model.
 * @returns the trained model; the one given is left as it was
 * @throws InvalidArgumentError for settings, data or a state that do not fit; DivergenceError, naming the step, when the
 *   loss is no longer a finite number; EngineError for a step that needs more memory than there is
 */
export async function train(model: Model, options: TrainOptions): Promise<TrainingRun> {
  const { data, epochs, engine = await defaultEngine(), signal, onStep, onEpoch, save } = options
  const settings = resolveSettings(model, data.train.length, options)
  const { batchSize, schedule, labels, augmentation, precision, seed } = settings
  checkDataset(model, data.train)
  if (data.test) checkDataset(model, data.test)
  checkSettings(settings, epochs, data.train.fingerprint, options.resume)
  const classes = model.labels.length
  const batches = { batchSize, normalization: model.preprocessing }
  const firstEpoch = { ...batches, training: { seed, epoch: 0, augmentation } }
  checkBatchOptions(data.train, firstEpoch)
  const steps = batchCount(data.train.length, firstEpoch)

  const graph = trainingGraph(model.graph, { ...settings, ...(options.memory && { memory: options.memory }) })
  const program = engine.compile(graph, options)
  const evaluation = { batchSize, precision, loss: settings.loss }
  const held = data.test && { ...evaluation, batchSize: Math.min(batchSize, data.test.length) }
  const evaluator = held && new Evaluator(model, engine, { ...options, ...held })
  const inputs = new Set(inputNodes(graph).map(({ name }) => name))
  const stepKey = randomKey(seed, streamOf('step'))
  const history: EpochMetrics[] = [...(options.resume?.history ?? [])]
  let { epoch, step, lossSum, correct } = options.resume ?? { epoch: 0, step: 0, lossSum: 0, correct: 0 }

  const checkpoint = ({ weights, slots }: State): Checkpoint & { readonly training: TrainingState } => ({
    model: { ...model, weights },
    training: {
      settings: { ...settings, epochs } as unknown as Attributes,
      data: data.train.fingerprint,
      ...{ epoch, step, lossSum, correct, history, slots },
    },
  })
  const finish = ({ weights }: State): TrainingRun => {
    const trained = { ...model, weights }
    return {
      model: trained,
      history,
      interrupted: epoch < epochs,
      evaluate: async (dataset = data.test) => {
        if (dataset === undefined)
          throw new InvalidArgumentError('evaluate needs a data set: the run had none held out')
        return evaluate(trained, dataset, { ...evaluation, engine })
      },
    }
  }

  try {
    await writeState(program, graph, model.weights, options.resume?.slots)
    let state = await readState(program, graph, model)
    let savedAt = performance.now()
    await options.onStart?.()
    while (epoch < epochs && !signal?.aborted) {
      const firstStep = step
      const start = performance.now()
      const secondsSince = (time: number): number => (performance.now() - time) / 1000
      const training = { seed, epoch, augmentation }
      for await (const batch of batchesOf(data.train, { ...batches, training, firstBatch: step })) {
        const total = epoch * steps + step
        const learningRate = learningRateAt(schedule, total, epochs * steps)
        const { loss, logits } = await program.run({
          image: batch.images,
          label: labels === 'one-hot' ? labelRows(batch, classes) : batch.labels,
          learningRate,
          ...(inputs.has('step') ? { step: total + 1 } : {}),
          ...(inputs.has('seed') ? { seed: randomBits(stepKey, total) | 0 } : {}),
        })
        step++
        lossSum += loss[0]
        correct += countCorrect(logits, dominantLabels(batch), classes)
        if (!Number.isFinite(loss[0])) throw diverged('loss', loss[0], { epoch, step, steps, learningRate })
        const secondsEach = secondsSince(start) / (step - firstStep)
        onStep?.({
          epoch: epoch + 1,
          epochs,
          step,
          steps,
          loss: lossSum / step,
          accuracy: correct / (step * batchSize),
          learningRate,
          imagesPerSecond: batchSize / secondsEach,
          secondsLeft: secondsEach * ((epochs - epoch) * steps - step),
        })
        if (step === steps) break
        const due = save !== undefined && secondsSince(savedAt) > SAVE_SECONDS
        if (!signal?.aborted && !due) continue
        state = await readState(program, graph, model)
        if (!allFinite(state)) throw diverged('loss', Number.NaN, { epoch, step, steps, learningRate })
        await save?.(checkpoint(state))
        savedAt = performance.now()
        if (signal?.aborted) return finish(state)
      }
      const imagesPerSecond = ((steps - firstStep) * batchSize) / secondsSince(start)
      state = await readState(program, graph, model)
      // The last update of an epoch shows in no training loss any more.
      if (!allFinite(state)) throw diverged('loss', Number.NaN, { epoch, step, steps })
      let metrics: EpochMetrics = { epoch: epoch + 1, loss: lossSum / steps, accuracy: correct / (steps * batchSize) }
      if (evaluator && data.test) {
        await evaluator.load(state.weights)
        const { loss, accuracy } = await evaluator.evaluate(data.test)
        if (!Number.isFinite(loss)) throw diverged('held-out loss', loss, { epoch, step, steps })
        metrics = { ...metrics, validationLoss: loss, validationAccuracy: accuracy }
      }
      history.push(metrics)
      await onEpoch?.({ ...metrics, imagesPerSecond, seconds: secondsSince(start) })
      epoch++
      step = lossSum = correct = 0
      await save?.(checkpoint(state))
      savedAt = performance.now()
    }
    return finish(state)
  } finally {
    program.dispose()
    evaluator?.dispose()
  }
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
