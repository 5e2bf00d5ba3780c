/**
 * @file A frozen part of a model sees the same images epoch after epoch and says the same of them. Where nothing changes the
 * images (no augmentation), that is computed once, and the rest of the model trains on it: an epoch takes the time of that rest.
 */
import { batchesOf, batchOrder } from '../data/batches.js'
import type { Batch, BatchOptions, Dataset } from '../data/dataset.js'
import type { CompileOptions, Engine } from '../engines/engine.js'
import { isState, type Node } from '../graph/graph.js'
import { matches } from '../graph/patterns.js'
import { elements } from '../graph/types.js'
import type { Model, Weights } from '../models/model.js'
import { featureGraph } from '../passes/feature-graph.js'
import { featureNode } from '../passes/frozen-part.js'
import { rewrite } from '../passes/rewrite.js'
import { Epochs } from './epochs.js'
import { ParameterGroups } from './features/parameter-groups.js'
import type { RunPlan } from './run-plan.js'
import type { ResolvedSettings } from './settings-table.js'
import { evaluationGraph } from './training-graph.js'

/** What trains in the place of a model, and on what. */
export interface FixedFeatures {
  /** From the features of an image to its logits. */
  readonly model: Model
  readonly settings: ResolvedSettings
  readonly passes: Epochs
  readonly validation: Dataset | undefined
  /** The model's weights, with those of the part that trains. */
  readonly whole: (weights: Weights) => Weights
  /** What computing the features took. */
  readonly report: FeatureReport
}

/** For whom the run is told to. */
export interface FeatureReport {
  readonly images: number
  readonly seconds: number
}

/** Features of more images than this are not kept. */
const MAX_BYTES = 2 ** 30

/**
 * Computes the features of a run's images.
 * @param options `signal` ends the work
 * @returns undefined where features change from epoch to epoch, would take too much memory, or `signal` ended it
 */
export async function fixedFeatures(
  model: Model,
  plan: RunPlan,
  engine: Engine,
  { signal, ...limits }: CompileOptions & { readonly signal?: { readonly aborted: boolean } | undefined },
): Promise<FixedFeatures | undefined> {
  const node = featuresOf(model, plan)
  if (node === undefined) return undefined
  const start = performance.now()
  const { settings, validation } = plan
  const { precision, batchSize, keepFloat32 } = settings
  const [{ shape }] = node.outputs
  const [height, width, channels] = shape.length === 4 ? shape.slice(1) : [1, 1, elements(shape)]
  const graph = evaluationGraph(featureGraph(model.graph, [node.name]), batchSize, {
    precision,
    ...(keepFloat32 && { keepFloat32 }),
  })
  const program = await engine.compile(graph, limits)
  try {
    for (const state of graph.nodes.filter(isState)) await program.write(state.name, model.weights.get(state.name)!)
    const measure = async (images: Dataset): Promise<Dataset | undefined> => {
      const rows = new Float32Array(images.length * elements(shape))
      let done = 0
      for await (const { images: pixels, count } of batchesOf(images, {
        batchSize,
        normalization: model.preprocessing,
      })) {
        if (signal?.aborted === true) return undefined
        const { [node.name]: values } = await program.run({ image: pixels })
        rows.set(values.subarray(0, count * elements(shape)) as Float32Array, done * elements(shape))
        done += count
      }
      return featureDataset(images, rows, [height, width, channels])
    }
    const train = await measure(plan.passes.data)
    const heldOut = validation && (await measure(validation))
    if (train === undefined || (validation && heldOut === undefined)) return undefined
    const head = headOf(model, node, [height, width, channels])
    return {
      model: head,
      settings: { ...settings, ...(keepFloat32 && { keepFloat32: layersOf(head, keepFloat32) }) },
      passes: new Epochs(head, train, settings),
      validation: heldOut,
      whole: weights => new Map([...model.weights, ...weights]),
      report: {
        images: train.length + (heldOut?.length ?? 0),
        seconds: (performance.now() - start) / 1000,
      },
    }
  } finally {
    program.dispose()
  }
}

/** The node that computes them, where they can be kept. */
function featuresOf({ graph }: Model, { settings, passes, validation }: RunPlan): Node | undefined {
  const { groups, augmentation, distillation, pruning } = settings
  if (Object.keys(augmentation).length > 0 || distillation !== undefined || pruning !== undefined) return undefined
  const trained = new ParameterGroups(groups)
  const node = featureNode(graph, name => trained.isFrozen(name))
  if (node === undefined) return undefined
  const images = passes.data.length + (validation?.length ?? 0)
  return 4 * images * elements(node.outputs[0].shape) <= MAX_BYTES ? node : undefined
}

/** The rest of a model: its image is what the node computed. */
function headOf(model: Model, node: Node, size: readonly [number, number, number]): Model {
  const needed = new Set<Node>()
  for (const user of model.graph.nodes.toReversed()) {
    const isOutput = [...model.graph.outputs.values()].some(value => value.node === user)
    if (user === node || !(isOutput || needed.has(user))) continue
    needed.add(user)
    for (const input of user.inputs) needed.add(input.node)
  }
  const graph = rewrite(model.graph, (each, { builder }) => {
    if (each === node) return [builder.input('image', node.outputs[0].shape)]
    return needed.has(each) ? undefined : []
  })
  const weights = new Map(graph.nodes.filter(isState).map(({ name }) => [name, model.weights.get(name)!]))
  const [mean, deviation] = [0, 1].map(value => Array<number>(size[2]).fill(value))
  return { ...model, graph, weights, preprocessing: { size, mean, deviation } }
}

/** The images of a data set by their features. */
function featureDataset(images: Dataset, rows: Float32Array, imageShape: readonly [number, number, number]): Dataset {
  const size = elements(imageShape)
  const { hashes: _, ...rest } = images
  return {
    ...{ ...rest, imageShape },
    batches: options => featureBatches(images, rows, size, options),
  }
}

async function* featureBatches(
  dataset: Dataset,
  rows: Float32Array,
  size: number,
  options: BatchOptions,
): AsyncGenerator<Batch> {
  const { length, imagesOf } = batchOrder(dataset, options)
  for (let batch = options.firstBatch ?? 0; batch < length; batch++) {
    const { indices, count } = imagesOf(batch)
    const images = new Float32Array(indices.length * size)
    for (const [i, index] of indices.entries()) images.set(rows.subarray(index * size, (index + 1) * size), i * size)
    yield { images, labels: Int32Array.from(indices, index => dataset.labels[index]), count }
  }
}

/** Those patterns that match a layer of a model. */
const layersOf = ({ graph }: Model, patterns: ResolvedSettings['keepFloat32'] & {}): readonly string[] =>
  patterns.filter(pattern => graph.nodes.some(({ name }) => matches(pattern, name)))
