/** @file A model's loss and accuracy on a data set. */
import { batchesOf } from '../data/batches.js'
import type { Batch, Dataset, View } from '../data/dataset.js'
import { checkNotEmpty, dataset as datasetSetting } from '../data/dataset-setting.js'
import { defaultEngine } from '../engines/default.js'
import type { CompileOptions, Engine, Outputs, Program } from '../engines/engine.js'
import { compileSettings, engine } from '../engines/engine-setting.js'
import { InvalidArgumentError } from '../errors.js'
import type { HostArray } from '../graph/arrays.js'
import { type Graph, stateNodes } from '../graph/graph.js'
import type { Model } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { type PrecisionOptions, precisionSettings } from '../passes/mixed-precision.js'
import { group, type Rows, type Settled } from '../settings/group.js'
import { choice, whole } from '../settings/kinds.js'
import { inClassesOf } from './check-dataset.js'
import { type ClassificationMeasures, classification } from './classification.js'
import { type Loss, lossSettings } from './loss.js'
import type { Measures, Task } from './task.js'
import {
  type TestTimeAugmentation,
  testTimeAugmentations,
  viewsOf,
  type WeightedView,
} from './test-time-augmentation.js'
import { evaluationGraph } from './training-graph.js'

/** How images are measured. */
export interface EvaluateOptions extends CompileOptions, PrecisionOptions {
  /** Default: the best that is there (`defaultEngine`). */
  readonly engine?: Engine
  /** Default 100. */
  readonly batchSize?: number
  /** What `loss` is to be. Default `cross-entropy`. */
  readonly loss?: Loss
  /** Views of each image, over which the logits are averaged. Default `none`. */
  readonly testTimeAugmentation?: TestTimeAugmentation
}

/** The table of `EvaluateOptions`. */
export const evaluateSettings = {
  ...compileSettings,
  ...precisionSettings,
  engine,
  batchSize: whole('images at a time', { from: 1 }).default(100),
  loss: lossSettings.loss,
  testTimeAugmentation: choice('views of each image, over which logits are averaged', testTimeAugmentations).default(
    'none',
  ),
} satisfies Rows<EvaluateOptions>

const evaluateOptions = group('how images are measured', evaluateSettings)
/** What a model comes to on labelled images. */
export interface Evaluation extends ClassificationMeasures {
  readonly seconds: number
}

/** A compiled model in inference form, which measures and predicts again and again with changing weights. */
export class Evaluator<Result extends Measures = Measures, Decoded = unknown> {
  readonly #model: Model
  readonly #task: Task<Result, Decoded>
  readonly #batchSize: number
  readonly #views: readonly WeightedView[]
  readonly #graph: Graph
  readonly #program: Program

  /** @throws InvalidArgumentError for an unknown test-time augmentation; EngineError if there is not the memory */
  static async compile<Result extends Measures, Decoded>(
    model: Model,
    task: Task<Result, Decoded>,
    engine: Engine,
    options: Omit<EvaluateOptions, 'engine' | 'loss'>,
  ): Promise<Evaluator<Result, Decoded>> {
    const { batchSize = 100, testTimeAugmentation = 'none', memoryLimitBytes, ...precision } = options
    const views = viewsOf(testTimeAugmentation)
    const graph = evaluationGraph(model.graph, batchSize, precision)
    const program = await engine.compile(graph, memoryLimitBytes === undefined ? {} : { memoryLimitBytes })
    return new Evaluator(model, task, batchSize, views, graph, program)
  }

  private constructor(
    model: Model,
    task: Task<Result, Decoded>,
    batchSize: number,
    views: readonly WeightedView[],
    graph: Graph,
    program: Program,
  ) {
    this.#model = model
    this.#task = task
    this.#batchSize = batchSize
    this.#views = views
    this.#graph = graph
    this.#program = program
  }

  async load(weights: ReadonlyMap<string, HostArray>): Promise<void> {
    for (const { name } of stateNodes(this.#graph)) {
      const values = weights.get(name)
      if (values === undefined) throw new InvalidArgumentError(`the weights lack '${name}'`)
      await this.#program.write(name, values)
    }
  }

  /** What the model comes to on images that are labelled as the task wants it. */
  async evaluate(dataset: Dataset): Promise<Result & { readonly seconds: number }> {
    const start = performance.now()
    const metrics = this.#task.metrics()
    for await (const { batch, outputs } of this.#outputs(dataset)) metrics.add(outputs, batch)
    return { ...metrics.result, seconds: (performance.now() - start) / 1000 }
  }

  /** What the outputs mean, batch by batch. */
  async *decoded(dataset: Dataset): AsyncGenerator<Decoded> {
    for await (const { batch, outputs } of this.#outputs(dataset)) yield this.#task.decode(outputs, batch)
  }

  dispose(): void {
    this.#program.dispose()
  }

  /** Batch by batch; with several views, the weighted mean over a batch of each. */
  async *#outputs(dataset: Dataset): AsyncGenerator<{ readonly batch: Batch; readonly outputs: Outputs }> {
    const options = { batchSize: this.#batchSize, normalization: this.#model.preprocessing }
    const pass = ({ weight: _, ...view }: WeightedView) =>
      batchesOf(dataset, isPlain(view) ? options : { ...options, view })
    const [first, ...more] = this.#views
    const others = more.map(view => ({ weight: view.weight, batches: pass(view)[Symbol.asyncIterator]() }))
    try {
      for await (const batch of pass(first)) {
        const outputs = await this.#program.run({ image: batch.images }, this.#task.outputs)
        if (first.weight !== 1) multiply(outputs, first.weight)
        for (const { weight, batches } of others) {
          const { value } = (await batches.next()) as IteratorYieldResult<Batch>
          addTo(outputs, await this.#program.run({ image: value.images }, this.#task.outputs), weight)
        }
        yield { batch, outputs }
      }
    } finally {
      for (const { batches } of others) await batches.return?.()
    }
  }
}

function multiply(outputs: Outputs, factor: number): void {
  for (const values of Object.values(outputs)) for (let i = 0; i < values.length; i++) values[i] *= factor
}

function addTo(sum: Outputs, more: Outputs, weight: number): void {
  for (const [name, values] of Object.entries(sum)) {
    for (let i = 0; i < values.length; i++) values[i] += weight * more[name][i]
  }
}

const isPlain = ({ shift: [y, x], flip }: View): boolean => y === 0 && x === 0 && !flip

/**
 * Loss, accuracy and confusion of a model over a whole data set.
 * @param dataset may have some of the model's classes only, in any order: they are told apart by their names
 * @throws InvalidArgumentError for options, images or classes that do not fit
 */
export async function evaluate(model: Model, dataset: Dataset, options: EvaluateOptions = {}): Promise<Evaluation> {
  modelOf(model)
  const images = labelledImages.parse(dataset, 'dataset')
  checkNotEmpty(images, 'dataset')
  const how = evaluateOptions.parse(options, '')
  const evaluator = await openEvaluator(model, images.length, how)
  try {
    return await evaluator.evaluate(inClassesOf(model, images))
  } finally {
    evaluator.dispose()
  }
}

const labelledImages = datasetSetting('labelled images')

/** Compiled, with the model's weights. @param images at a time at most; fewer than a batch take no more than they need */
export async function openEvaluator(
  model: Model,
  images: number,
  { engine, batchSize, loss, ...options }: Settled<typeof evaluateSettings>,
): Promise<Evaluator<ClassificationMeasures, Float32Array>> {
  const task = classification({ classes: model.labels, loss, labels: 'index', labelSmoothing: 0 })
  const chosen = engine ?? (await defaultEngine())
  const evaluator = await Evaluator.compile(model, task, chosen, { ...options, batchSize: Math.min(batchSize, images) })
  try {
    await evaluator.load(model.weights)
    return evaluator
  } catch (error) {
    evaluator.dispose()
    throw error
  }
}
