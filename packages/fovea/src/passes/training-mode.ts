/**
 * @file A model's graph for training: batch-norm uses the batch's statistics and updates the running ones; what rounds
 * activations as integers follows how far they go; dropout and stochastic depth draw from a seed that is fed at every run, and are gone in
 * a part that does not train.
 */
import { unknownName } from '../errors.js'
import type { Graph, Node, Value } from '../graph/graph.js'
import { elements } from '../graph/types.js'
import { type BatchNormAttributes, batchNormTraining } from '../ops/batch-norm.js'
import type { GraphBuilder } from '../ops/builder.js'
import { extentByImage, fakeQuantize } from '../ops/fake-quantize.js'
import { hasTrait, opDefinition } from '../ops/index.js'
import { reduceMax } from '../ops/reduce-max.js'
import { runningAverage } from '../ops/running-average.js'
import { streamOf } from '../random.js'
import { frozenPart } from './frozen-part.js'
import { type RewriteContext, rewrite } from './rewrite.js'

/** Whether norms use the batch's statistics, or, unchanged, the running ones: for fine-tuning on few images. */
export const normStatistics = ['batch', 'running'] as const
/** One of `normStatistics`. */
export type NormStatistics = (typeof normStatistics)[number]

/**
 * The result has an input `seed` (int32 scalar) where the model has random operators, each with a stream of its own.
 * Ranges of activations follow them in all layers, also in those that are frozen.
 * @param isFrozen whether a parameter does not train. A norm of which none does keeps its running statistics, and uses them
 * @throws InvalidArgumentError for unknown statistics
 */
export function trainingMode(
  graph: Graph,
  statistics: NormStatistics = 'batch',
  isFrozen: (name: string) => boolean = () => false,
): Graph {
  if (!normStatistics.includes(statistics)) throw unknownName('norm statistics', String(statistics), normStatistics)
  let seed: Value | undefined
  const frozen = frozenPart(graph, isFrozen)
  return rewrite(graph, (node, { builder, mapped }) => {
    if (hasTrait(node, 'random')) {
      if (frozen.has(node)) return [mapped(node.inputs[0])]
      seed ??= builder.input('seed', [], 'int32')
      const attrs = { ...node.attrs, stream: streamOf(node.name) }
      return builder.emitAll(opDefinition(node.op), [mapped(node.inputs[0]), seed], attrs, node.name)
    }
    if (node.op === 'fakeQuantize') return watchedExtent(node, builder, mapped)
    if (node.op !== 'batchNorm' || statistics === 'running') return undefined
    const own = node.inputs.map(input => input.node).filter(({ op }) => op === 'parameter')
    if (own.length > 0 && own.every(({ name }) => isFrozen(name))) return undefined
    const [x, weight, bias, runningMean, runningVariance, ...residual] = node.inputs.map(mapped)
    const { momentum, ...attrs } = node.attrs as BatchNormAttributes
    const outputs = builder.emitAll(batchNormTraining, [x, weight, bias, ...residual], attrs, node.name)
    const [, mean, variance] = outputs
    // Normalization uses the biased variance, the running one is the unbiased estimate (PyTorch's BatchNorm2d).
    const count = elements(x.type.shape) / weight.type.shape[0]
    const average = (running: Value, value: Value, scale: number) =>
      builder.update(
        running,
        builder.emit(runningAverage, [running, value], { momentum, scale }, `${running.node.name}.next`),
      )
    average(runningMean, mean, 1)
    average(runningVariance, variance, count / (count - 1))
    return outputs
  })
}

/** The weight of a batch in what is known of the extent of activations (that of PyTorch's MovingAverageMinMaxObserver). */
const EXTENT_MOMENTUM = 0.01

/** As it is, by the extent so far, which each batch moves a little towards its own (Jacob et al. 2018, arXiv 1712.05877, section 3). */
function watchedExtent({ name, inputs }: Node, builder: GraphBuilder, mapped: RewriteContext['mapped']): Value[] {
  const [x, extent] = inputs.map(mapped)
  const byImage = builder.emit(extentByImage, [x], {}, `${extent.node.name}.images`)
  const seen = builder.emit(reduceMax, [byImage], { axes: [0], keepDims: false }, `${extent.node.name}.seen`)
  const attrs = { momentum: EXTENT_MOMENTUM, scale: 1 }
  builder.update(extent, builder.emit(runningAverage, [extent, seen], attrs, `${extent.node.name}.next`))
  return [builder.emit(fakeQuantize, [x, extent], {}, name)]
}
