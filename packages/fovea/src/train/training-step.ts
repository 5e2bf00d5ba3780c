/**
 * @file One step of training, compiled: the program of the training graph, what it is fed, and its state. A batch goes
 * through it whole or in parts.
 */
import type { Batch } from '../data/dataset.js'
import type { CompileOptions, Engine, Program } from '../engines/engine.js'
import { SettingError } from '../errors.js'
import type { Model, Weights } from '../models/model.js'
import type { MemoryUse } from '../passes/recompute.js'
import type { Epochs } from './epochs.js'
import { Teacher } from './features/distillation.js'
import { initialLossScale, nextLossScale } from './features/loss-scale.js'
import { Masks } from './features/pruning.js'
import { rateAt } from './schedules/index.js'
import type { ResolvedSettings } from './settings-table.js'
import { readState, type State, writeState } from './state.js'
import type { StepMoment, TrainingGraph } from './step-builder.js'
import type { Task } from './task.js'
import { stepGraph } from './training-graph.js'
import type { LossScaleState } from './training-state.js'

export interface TrainingStepOptions extends CompileOptions {
  readonly memory: MemoryUse
  /** How many of them the run has: what the schedule goes by. */
  readonly epochs: number
  /** Where the settings have distillation. */
  readonly teacher?: Model
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
  readonly #ofRun: Pick<StepMoment, 'steps' | 'epochs' | 'seed'>
  readonly #graph: TrainingGraph
  readonly #program: Program
  readonly #masks: Masks | undefined
  readonly #teacher: Teacher | undefined

  /** @throws EngineError for a step that needs more memory than there is; as trainingGraph */
  static async compile(
    model: Model,
    task: Task,
    engine: Engine,
    settings: ResolvedSettings,
    { steps }: Epochs,
    { memory, epochs, teacher, ...compilation }: TrainingStepOptions,
  ): Promise<TrainingStep> {
    const graph = stepGraph(model.graph, { ...settings, memory }, task.loss)
    const program = await engine.compile(graph, compilation)
    try {
      const ofRun = { steps, epochs, seed: settings.seed }
      const masks = settings.pruning && new Masks(settings.pruning, graph)
      const compiled = await compiledTeacher(teacher, model, engine, settings)
      return new TrainingStep(model, task, settings, ofRun, graph, program, masks, compiled)
    } catch (error) {
      program.dispose()
      throw error
    }
  }

  private constructor(
    readonly model: Model,
    readonly task: Task,
    readonly settings: ResolvedSettings,
    ofRun: Pick<StepMoment, 'steps' | 'epochs' | 'seed'>,
    graph: TrainingGraph,
    program: Program,
    masks: Masks | undefined,
    teacher: Teacher | undefined,
  ) {
    this.#ofRun = ofRun
    this.#graph = graph
    this.#program = program
    this.#masks = masks
    this.#teacher = teacher
  }

  /** Sets the state: the model's weights, and slots as saved or as they start. */
  async begin(weights: Weights, slots?: Weights): Promise<void> {
    await writeState(this.#program, this.#graph, weights, slots)
    await this.#masks?.begin(this.#program, weights, slots)
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
    const { accumulate } = this.settings
    await this.#masks?.advance(this.#program, { ...this.#ofRun, epoch, step })
    const wanted = ['loss', ...this.task.outputs, ...(this.#graph.outputs.has('finite') ? ['finite'] : [])]
    const result = { loss: 0, correct: 0, learningRate, lossScale }
    for (const [part, some] of partsOf(batch, accumulate).entries()) {
      const moment = { ...this.#ofRun, epoch, step, part, learningRate, lossScale: lossScale ?? initialLossScale }
      const feeds = {
        ...{ image: some.images, ...this.task.targets(some) },
        ...this.#graph.feeds(moment),
        ...(await this.#teacher?.teach(some.images)),
      }
      const outputs = await this.#program.run(feeds, wanted)
      result.loss += outputs['loss'][0] / accumulate
      result.correct += this.task.correct(outputs, some)
      const { finite } = outputs
      if (finite !== undefined && part === accumulate - 1) {
        result.lossScale = nextLossScale(moment.lossScale, finite[0] !== 0)
      }
    }
    return result
  }

  #learningRate(epoch: number, step: number): number {
    const { steps, epochs } = this.#ofRun
    return rateAt(this.settings.schedule, epoch * steps + step, epochs * steps, steps)
  }

  /** All that the steps so far have changed. */
  state(): Promise<State> {
    return readState(this.#program, this.#graph, this.model)
  }

  dispose(): void {
    this.#teacher?.dispose()
    this.#program.dispose()
  }
}

/** A whole batch of images as batches of equally many. */
function partsOf(batch: Batch, parts: number): Batch[] {
  const { images, labels, count, mix } = batch
  if (parts === 1) return [batch]
  return Array.from({ length: parts }, (_, part) => {
    const of = <T extends Float32Array | Int32Array>(whole: T): T => {
      const size = whole.length / parts
      return whole.subarray(part * size, (part + 1) * size) as T
    }
    return {
      ...{ images: of(images), labels: of(labels), count: count / parts },
      ...(mix && { mix: { ...mix, labels: of(mix.labels) } }),
    }
  })
}

/** @throws SettingError where the settings ask for one, and none is given */
async function compiledTeacher(
  teacher: Model | undefined,
  student: Model,
  engine: Engine,
  { distillation, batchSize, accumulate }: ResolvedSettings,
): Promise<Teacher | undefined> {
  if (distillation === undefined) return undefined
  if (teacher === undefined)
    throw new SettingError('teacher', 'missing; distillation needs a trained model to learn from')
  return Teacher.compile(teacher, student, engine, batchSize / accumulate, distillation)
}
