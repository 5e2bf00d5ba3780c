/** @file From a model's graph to the graph of one training step, or of evaluation: the passes in their order. */
import { unknownName } from '../errors.js'
import { type Graph, parameterNodes, type Value } from '../graph/graph.js'
import { GraphBuilder } from '../ops/builder.js'
import { crossEntropy } from '../ops/cross-entropy.js'
import { meanSquaredError } from '../ops/mean-squared-error.js'
import { softmax } from '../ops/softmax.js'
import { autodiff } from '../passes/autodiff.js'
import { foldBatchNorm } from '../passes/fold-batch-norm.js'
import { fuse } from '../passes/fuse.js'
import { fuseGradients } from '../passes/fuse-gradients.js'
import { inferenceMode } from '../passes/inference-mode.js'
import { mixedPrecision, type Precision } from '../passes/mixed-precision.js'
import { type MemoryUse, recompute } from '../passes/recompute.js'
import { rewriteInto } from '../passes/rewrite.js'
import { scheduleUpdates } from '../passes/schedule-updates.js'
import { setBatchSize } from '../passes/set-batch-size.js'
import { trainingMode } from '../passes/training-mode.js'
import { createOptimizer, type OptimizerOptions } from './optimizers/index.js'

/** Mean squared error is between the softmax and one-hot labels. */
export const losses = ['cross-entropy', 'mean-squared-error'] as const
/** One of `losses`. */
export type Loss = (typeof losses)[number]

/** What a step computes beside the model. */
export interface TrainingGraphOptions {
  readonly batchSize: number
  readonly optimizer: OptimizerOptions
  /** Default `cross-entropy`. */
  readonly loss?: Loss
  /** How labels are fed: int32 [batch] class indices, or float32 [batch, classes] rows. Default `index`. */
  readonly labels?: 'index' | 'one-hot'
  /** Default 0. */
  readonly labelSmoothing?: number
  /** Default `float32`. */
  readonly precision?: Precision
  /** Whether activations are kept or computed again (passes/recompute.ts). Default `standard`. */
  readonly memory?: MemoryUse
}

/**
 * Inputs `image`, `label`, `learningRate`, and where needed `step` and `seed`; outputs `loss` and `logits`; updates every
 * parameter, optimizer slot and running statistic.
 */
export function trainingGraph(model: Graph, options: TrainingGraphOptions): Graph {
  const { batchSize, precision = 'float32' } = options
  const training = trainingMode(mixedPrecision(fuse(setBatchSize(model, batchSize)), precision))
  const builder = new GraphBuilder()
  const { mapped } = rewriteInto(builder, training)
  const logits = mapped(logitsOf(training))
  const loss = lossOf(builder, logits, options)
  builder.output('loss', loss)

  const parameters = parameterNodes(training).map(node => mapped({ node, index: 0, type: node.outputs[0] }))
  const optimize = createOptimizer(options.optimizer)
  const learningRate = builder.input('learningRate', [])
  let step: Value | undefined
  const context = {
    builder,
    learningRate,
    step: () => {
      step ??= builder.input('step', [])
      return step
    },
  }
  for (const [i, gradient] of autodiff(builder, loss, parameters).entries()) {
    if (gradient !== undefined) optimize(context, parameters[i], gradient)
  }
  return scheduleUpdates(recompute(fuseGradients(builder.build()), options.memory))
}

/** Input `image` [batch, …], output `logits` [batch, classes]; dropout gone, batch-norm folded into convolutions. */
export function evaluationGraph(model: Graph, batchSize: number, precision: Precision = 'float32'): Graph {
  return mixedPrecision(foldBatchNorm(inferenceMode(setBatchSize(model, batchSize))), precision)
}

/** What a model computes. */
export function logitsOf(graph: Graph): Value {
  const logits = graph.outputs.get('logits')
  if (logits === undefined) throw new Error('a model graph has an output `logits`')
  return logits
}

function lossOf(builder: GraphBuilder, logits: Value, options: TrainingGraphOptions): Value {
  const { loss = 'cross-entropy', labels = 'index', labelSmoothing = 0 } = options
  const [batch] = logits.type.shape
  const oneHot = labels === 'one-hot' || loss === 'mean-squared-error'
  const label = oneHot ? builder.input('label', logits.type.shape, 'float32') : builder.input('label', [batch], 'int32')
  switch (loss) {
    case 'cross-entropy':
      return builder.emit(crossEntropy, [logits, label], { labelSmoothing }, 'loss')
    case 'mean-squared-error':
      return builder.emit(meanSquaredError, [builder.emit(softmax, [logits], {}), label], {}, 'loss')
    default:
      throw unknownName('loss', String(loss), losses)
  }
}
