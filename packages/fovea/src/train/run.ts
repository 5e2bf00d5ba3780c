/**
 * @file The loop of a run: batch after batch through one compiled step, an evaluation after each epoch, states saved now and
 * then. It holds the programs and a state (run-state.ts); what the state becomes with a step or an epoch is decided there.
 */
import type { Batch } from '../data/dataset.js'
import { DivergenceError } from '../errors.js'
import type { Attributes } from '../graph/graph.js'
import type { Model } from '../models/model.js'
import type { Settled } from '../settings/group.js'
import type { ClassificationMeasures } from './classification.js'
import { bestEpoch, bestSlots } from './early-stopping.js'
import type { Evaluator } from './evaluate.js'
import { Averaging } from './features/weight-average.js'
import type { FeatureReport } from './fixed-features.js'
import type { RunPlan } from './run-plan.js'
import { afterEpoch, afterStep, hasEnded, type Measured, meansOf, type RunState, startOf } from './run-state.js'
import { allFinite, type State } from './state.js'
import type { SaveMoment, trainSettings } from './train-options.js'
import type { Checkpoint, EpochMetrics, TrainingState } from './training-state.js'
import type { TrainingStep } from './training-step.js'

type Options = Settled<typeof trainSettings>

/** Where a run goes on from, what ends it and who is told of it. */
type RunOptions = {
  readonly [K in 'resume' | 'signal' | 'onStart' | 'onStep' | 'onEpoch' | 'save']: Options[K] | undefined
} & Pick<Options, 'saveSeconds'> & { readonly features: FeatureReport | undefined }

/** What a run came to. */
export interface RunResult {
  /** The weights that it leaves, and what they came to on the held-out images, if it measured them. */
  readonly final: Measured
  readonly history: readonly EpochMetrics[]
  readonly interrupted: boolean
}

/** What the steps so far have changed, copied out of the program. */
interface Snapshot extends State {
  /** The weights to be measured and kept: the averages where there are any. */
  readonly kept: Measured
}

const secondsSince = (time: number): number => (performance.now() - time) / 1000

export class Run {
  #state: RunState
  /** Undefined once a step has changed more: it is copied when it is asked for. */
  #snapshot: Snapshot | undefined
  #savedAt = performance.now()
  readonly #averaging: Averaging | undefined

  /** @param evaluator of the held-out images, where there are any */
  constructor(
    readonly model: Model,
    readonly plan: RunPlan,
    readonly compiled: TrainingStep,
    readonly evaluator: Evaluator<ClassificationMeasures> | undefined,
    readonly options: RunOptions,
  ) {
    const { settings } = plan
    const { resume } = options
    this.#state = startOf(model, settings, resume)
    this.#averaging = settings.average && new Averaging(settings.average)
    this.#snapshot = this.#snapshotOf({ weights: model.weights, slots: resume?.slots ?? new Map() })
  }

  /** @throws DivergenceError, naming the step, when the loss is no longer a finite number */
  async toEnd(): Promise<RunResult> {
    const { onStart, resume, features } = this.options
    const { settings, epochs } = this.plan
    await this.compiled.begin(this.model.weights, resume?.slots)
    await onStart?.({ settings, epochs, ...(features && { features }) })
    while (!this.#hasEnded && !this.#isAborted) await this.#epoch()
    const { best, history } = this.#state
    return { final: best ?? (await this.#current()).kept, history, interrupted: !this.#hasEnded }
  }

  get #hasEnded(): boolean {
    return hasEnded(this.#state, this.plan.epochs, this.plan.settings)
  }

  get #isAborted(): boolean {
    return this.options.signal?.aborted === true
  }

  /** One epoch, or what is left of it. */
  async #epoch(): Promise<void> {
    const { passes, settings } = this.plan
    const { save, saveSeconds } = this.options
    const { epoch, step: first } = this.#state
    const start = performance.now()
    for await (const batch of passes.batches(epoch, first)) {
      const learningRate = await this.#step(batch, first, start)
      if (this.#state.step === passes.steps) break
      const due = save !== undefined && secondsSince(this.#savedAt) >= saveSeconds
      if (!this.#isAborted && !due) continue
      await this.#save({ epochEnded: false }, learningRate)
      if (this.#isAborted) return
    }
    await this.#endEpoch(((passes.steps - first) * settings.batchSize) / secondsSince(start), start)
  }

  /**
   * @param first the step with which the epoch began or went on, at the time `start`
   * @returns the learning rate
   */
  async #step(batch: Batch, first: number, start: number): Promise<number> {
    const { passes, epochs, settings } = this.plan
    const result = await this.compiled.run(batch, this.#state)
    this.#snapshot = undefined
    this.#state = afterStep(this.#state, result)
    const { loss, learningRate } = result
    if (!Number.isFinite(loss)) throw this.#diverged('loss', loss, learningRate)
    const { epoch, step, lossScale } = this.#state
    const secondsEach = secondsSince(start) / (step - first)
    await this.options.onStep?.({
      ...{ epoch: epoch + 1, epochs, step, steps: passes.steps },
      ...meansOf(this.#state, settings.batchSize),
      learningRate,
      imagesPerSecond: settings.batchSize / secondsEach,
      secondsLeft: secondsEach * ((epochs - epoch) * passes.steps - step),
      ...(lossScale && { lossScale }),
    })
    return learningRate
  }

  async #endEpoch(imagesPerSecond: number, start: number): Promise<void> {
    const { validation, settings, epochs } = this.plan
    const { earlyStopping } = settings
    const measured = await this.#measure()
    const { evaluation, weights } = measured
    const metrics: EpochMetrics = {
      epoch: this.#state.epoch + 1,
      ...meansOf(this.#state, settings.batchSize),
      ...(evaluation && { validationLoss: evaluation.loss, validationAccuracy: evaluation.accuracy }),
    }
    const history = [...this.#state.history, metrics]
    const isBest =
      validation !== undefined && bestEpoch(history, earlyStopping?.minimumDelta ?? 0) === history.length - 1
    const { lossScale } = this.#state
    const seconds = secondsSince(start)
    await this.options.onEpoch?.({ ...metrics, epochs, imagesPerSecond, seconds, ...(lossScale && { lossScale }) })
    this.#state = afterEpoch(this.#state, metrics, isBest && earlyStopping ? measured : undefined)
    await this.#save({ epochEnded: true, ...(isBest && { best: { ...this.model, weights } }) })
  }

  /** The weights as they are now, on the held-out images. */
  async #measure(): Promise<Measured> {
    const { evaluator, plan } = this
    const snapshot = await this.#current()
    const { weights } = snapshot.kept
    if (!evaluator || !plan.validation) return snapshot.kept
    await evaluator.load(weights)
    const evaluation = await evaluator.evaluate(plan.validation)
    if (!Number.isFinite(evaluation.loss)) throw this.#diverged('held-out loss', evaluation.loss)
    const kept = { weights, evaluation }
    this.#snapshot = { ...snapshot, kept }
    return kept
  }

  async #save(moment: SaveMoment, learningRate?: number): Promise<void> {
    const { save } = this.options
    if (!save) return
    await save(this.#checkpoint(await this.#current(learningRate)), moment)
    this.#savedAt = performance.now()
  }

  #checkpoint({ weights, slots }: State): Checkpoint {
    const { settings, epochs, images } = this.plan
    const { epoch, step, lossSum, correct, history, lossScale, best } = this.#state
    const training: TrainingState = {
      settings: { ...settings, epochs } as unknown as Attributes,
      ...images,
      ...(lossScale && { lossScale }),
      ...{ epoch, step, lossSum, correct, history },
      slots: new Map([...slots, ...(best ? bestSlots(best.weights) : [])]),
    }
    return { model: { ...this.model, weights }, training }
  }

  /** @throws DivergenceError for weights that the last step broke: no loss shows it any more */
  async #current(learningRate?: number): Promise<Snapshot> {
    if (this.#snapshot) return this.#snapshot
    const state = await this.compiled.state()
    if (!allFinite(state)) throw this.#diverged('loss', Number.NaN, learningRate)
    this.#snapshot = this.#snapshotOf(state)
    return this.#snapshot
  }

  #snapshotOf({ weights, slots }: State): Snapshot {
    const { epoch, step, lossScale } = this.#state
    const counted = epoch * this.plan.passes.steps + step - (lossScale?.skippedSteps ?? 0)
    return { weights, slots, kept: { weights: this.#averaging?.kept(weights, slots, counted) ?? weights } }
  }

  #diverged(what: string, loss: number, learningRate?: number): DivergenceError {
    const { epoch, step } = this.#state
    const rate = learningRate === undefined ? '' : `, at a learning rate of ${Number(learningRate.toPrecision(3))}`
    return new DivergenceError(
      `the ${what} is ${loss} at step ${step} of ${this.plan.passes.steps} in epoch ${epoch + 1}${rate}; ` +
        'try a lower learning rate, a larger batch or more warm-up',
    )
  }
}
