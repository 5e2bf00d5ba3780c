/**
 * @file One step of training, compiled: the program of the training graph, what it is fed, and its state. A batch goes
 * through it whole or in parts.
 */
import type { Batch } from '../data/dataset.js'
import type { CompileOptions, Engine, Program } from '../engines/engine.js'
import type { Model, Weights } from '../models/model.js'
import type { MemoryUse } from '../passes/recompute.js'
import type { Epochs } from './epochs.js'
import { initialLossScale, nextLossScale } from './features/loss-scale.js'
import { classWeightsOf, dominantLabels, labelFeed } from './labels.js'
import { countCorrect } from './metrics.js'
import { rateAt } from './schedules/index.js'
import type { ResolvedSettings } from './settings-table.js'
import { readState, type State, writeState } from './state.js'
import type { StepMoment, TrainingGraph } from './step-builder.js'
import { trainingGraph } from './training-graph.js'
import type { LossScaleState } from './training-state.js'

export interface TrainingStepOptions extends CompileOptions {
  readonly memory?: MemoryUse
  /** How many of them the run has: what the schedule goes by. */
  readonly epochs: number
}

/** What a step came to. */
export interface StepResult {
  /** The mean over the batch. */
  readonly loss: number
  /** How many images it got right, before its update. */
  readonly correct: number
  readonly learningRate: number
  /** Where it stands now; undefined for types that need none. */
  readonly lossScale: LossScaleState | undefined
}

export class TrainingStep {
  readonly #graph: TrainingGraph
  readonly #program: Program
  readonly #run: Pick<StepMoment, 'steps' | 'epochs' | 'seed'>
  /** By class, how much an image counts; undefined where all count alike. */
  readonly #classWeights: Float32Array | undefined

  /**
   * @throws EngineError for a step that needs more memory than there is; InvalidArgumentError for class weights that are not
   *   one for each class; see trainingGraph for the rest
   */
  constructor(
    readonly model: Model,
    engine: Engine,
    readonly settings: ResolvedSettings,
    { data, steps }: Epochs,
    options: TrainingStepOptions,
  ) {
    const { memory, epochs, ...compilation } = options
    const { classWeights, seed } = settings
    this.#classWeights = classWeights && classWeightsOf(classWeights, data.labels, model.labels.length)
    this.#graph = trainingGraph(model.graph, { ...settings, ...(memory && { memory }) })
    this.#program = engine.compile(this.#graph, compilation)
    this.#run = { steps, epochs, seed }
  }

  /** Sets the state: the model's weights, and slots as saved or as they start. */
  begin(weights: Weights, slots?: Weights): Promise<void> {
    return writeState(this.#program, this.#graph, weights, slots)
  }

  /**
   * Runs a batch, and updates the state.
   * @param at epoch and step, counted from 0, and where loss scaling stands
   * @param learningRate instead of the schedule's
   */
  async run(
    batch: Batch,
    { epoch, step, lossScale }: Pick<StepMoment, 'epoch' | 'step'> & Pick<StepResult, 'lossScale'>,
    learningRate = this.#learningRate(epoch, step),
  ): Promise<StepResult> {
    const { accumulate, batchSize, labels } = this.settings
    const classes = this.model.labels.length
    const label = labelFeed(batch, classes, labels, this.#classWeights)
    const dominant = dominantLabels(batch)
    const images = batchSize / accumulate
    const partOf = <T extends Float32Array | Int32Array>(whole: T, part: number): T => {
      const size = (whole.length / batchSize) * images
      return (accumulate === 1 ? whole : whole.subarray(part * size, (part + 1) * size)) as T
    }
    const result = { loss: 0, correct: 0, learningRate, lossScale }
    for (let part = 0; part < accumulate; part++) {
      const moment = { ...this.#run, epoch, step, part, learningRate, lossScale: lossScale ?? initialLossScale }
      const feeds = { image: partOf(batch.images, part), label: partOf(label, part), ...this.#graph.feeds(moment) }
      const { loss, logits, finite } = await this.#program.run(feeds)
      result.loss += loss[0] / accumulate
      result.correct += countCorrect(logits, partOf(dominant, part), classes)
      if (finite !== undefined && part === accumulate - 1) {
        result.lossScale = nextLossScale(moment.lossScale, finite[0] !== 0)
      }
    }
    return result
  }

  #learningRate(epoch: number, step: number): number {
    const { steps, epochs } = this.#run
    return rateAt(this.settings.schedule, epoch * steps + step, epochs * steps, steps)
  }

  /** All that the steps so far have changed. */
  state(): Promise<State> {
    return readState(this.#program, this.#graph, this.model)
  }

  dispose(): void {
    this.#program.dispose()
  }
}
