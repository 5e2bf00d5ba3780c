/** @file From a model's graph to the graph of one training step, or of evaluation: the passes in their order. */
import { InvalidArgumentError } from '../errors.js'
import { type Graph, type Node, parameterNodes, stateNodes, type Value } from '../graph/graph.js'
import { graphOf } from '../graph/graph-setting.js'
import { autodiff } from '../passes/autodiff.js'
import { foldBatchNorm } from '../passes/fold-batch-norm.js'
import { fuse } from '../passes/fuse.js'
import { fuseGradients } from '../passes/fuse-gradients.js'
import { inferenceMode } from '../passes/inference-mode.js'
import { integerArithmetic } from '../passes/integer-arithmetic.js'
import { mixedPrecision, type PrecisionOptions, precisionOptions } from '../passes/mixed-precision.js'
import { type MemoryUse, memorySetting, recompute } from '../passes/recompute.js'
import { rewriteInto } from '../passes/rewrite.js'
import { scheduleUpdates } from '../passes/schedule-updates.js'
import { setBatchSize } from '../passes/set-batch-size.js'
import { type NormStatistics, trainingMode } from '../passes/training-mode.js'
import { group, type ValueOf } from '../settings/group.js'
import { logitsIn } from './classification.js'
import { Accumulation } from './features/accumulation.js'
import { type Distillation, distilledLoss } from './features/distillation.js'
import type { CombineGradients } from './features/gradient.js'
import { gradientScaleOf, holdBack } from './features/gradient-scale.js'
import { lossScaleIn } from './features/loss-scale.js'
import { type ParameterGroup, ParameterGroups } from './features/parameter-groups.js'
import { maskWeights, type Pruning } from './features/pruning.js'
import { feedSeed } from './features/seed.js'
import { Averaging, type WeightAverage } from './features/weight-average.js'
import { type LabelForm, type Loss, type LossOptions, lossOf } from './loss.js'
import { createOptimizer, type OptimizerOptions } from './optimizers/index.js'
import { trainingStepSettings } from './settings-table.js'
import { StepBuilder, type TrainingGraph } from './step-builder.js'
import type { Task } from './task.js'

/** What a step computes beside the model. */
export interface TrainingGraphOptions extends PrecisionOptions {
  readonly batchSize: number
  /** Parts of a batch that run one after another, their gradients added up: less memory. Default 1. */
  readonly accumulate?: number
  readonly optimizer: OptimizerOptions
  /** The longest norm of all gradients together. Default: any. */
  readonly clipNorm?: number
  /** Parameters that train otherwise, or not. */
  readonly groups?: readonly ParameterGroup[]
  /** What is learned from another model: its probabilities are fed as `teacher` [batch, classes]. */
  readonly distillation?: Distillation
  /** Which weights are 0. Default: whichever are. */
  readonly pruning?: Pruning
  /** Of weights and running statistics, over the steps. */
  readonly average?: WeightAverage
  /** Of which images norms take their statistics. Default `batch`. */
  readonly normStatistics?: NormStatistics
  /** Default `cross-entropy`. */
  readonly loss?: Loss
  /** How labels are fed: int32 [batch] class indices, or float32 [batch, classes] rows. Default `index`. */
  readonly labels?: LabelForm
  /** Default 0. */
  readonly labelSmoothing?: number
  /** Whether activations are kept or computed again (passes/recompute.ts). Default `standard`. */
  readonly memory?: MemoryUse
}

/** The table of `TrainingGraphOptions`. */
export const graphOptions = group(
  'what a step computes beside the model',
  { ...trainingStepSettings, memory: memorySetting },
  'ignored',
)

/**
 * One step, or the part of one that is fed at once. Inputs `image`, `label`, and the scalars that its `feeds` gives: the
 * rates `learningRate` and, of groups with a rate of their own, `learningRate:PLACE`, and where needed `step`, `seed`,
 * `averageWeight`, `averageBack`, `lossScale`, `firstPart`, `lastPart`. Outputs `loss`, `logits`, and where they are known
 * `gradientNorm` and `finite`; updates every parameter that is not frozen, optimizer slot, average and running statistic.
 * @param options those of a whole run may be among them
 * @throws SettingError naming the option at fault; InvalidArgumentError for a parameter of another type than float32 that is
 *   not frozen
 */
export function trainingGraph(model: Graph, options: TrainingGraphOptions): TrainingGraph {
  graphOf(model)
  const settings = graphOptions.parse(options, '')
  return stepGraph(model, settings, (builder, outputs) => lossOf(builder, logitsIn(outputs), settings))
}

/**
 * The same of options that have been read.
 * @param lossIn the task's loss
 * @param combine what becomes of a step's gradients before anything uses them. Default: they stay as they are
 */
export function stepGraph(
  model: Graph,
  settings: Omit<ValueOf<typeof graphOptions>, keyof LossOptions>,
  lossIn: Task['loss'],
  combine: CombineGradients = (_, gradients) => gradients,
): TrainingGraph {
  const { batchSize, clipNorm } = settings
  const accumulation = new Accumulation(settings.accumulate)
  const groups = new ParameterGroups(settings.groups)
  const forward = mixedPrecision(fuse(setBatchSize(model, batchSize / accumulation.parts)), settings)
  const training = trainingMode(forward, settings.normStatistics, name => groups.isFrozen(name))
  const builder = new StepBuilder()
  const { mapped } = rewriteInto(builder, training)
  feedSeed(builder, training, accumulation)
  const outputs = new Map([...training.outputs].map(([name, value]) => [name, mapped(value)]))
  const ownLoss = lossIn(builder, outputs)
  const { distillation } = settings
  const loss = distillation ? distilledLoss(builder, logitsIn(outputs), ownLoss, distillation) : ownLoss
  builder.output('loss', loss)

  const stateValue = (node: Node): Value => mapped({ node, index: 0, type: node.outputs[0] })
  const parameters = trainedParameters(training, groups).map(stateValue)
  const lossScale = settings.precision === 'mixed_float16' ? lossScaleIn(builder) : undefined
  const found = autodiff(builder, loss, parameters, lossScale).flatMap((gradient, i) =>
    gradient === undefined ? [] : [{ parameter: parameters[i], gradient }],
  )
  const gradients = combine(builder, accumulation.sum(builder, found))
  const scaling = gradientScaleOf(builder, gradients, { accumulation, clipNorm, lossScale })
  const { scale, counts, partCounts } = scaling

  const states = stateNodes(training).map(stateValue)
  const running = states.filter(state => builder.nextOf(state) !== undefined)
  if (partCounts) holdBack(builder, running, partCounts)
  const optimize = createOptimizer(settings.optimizer)
  for (const { parameter, gradient } of gradients) {
    const { name } = parameter.node
    const [learningRate, weightDecay] = [groups.learningRate(builder, name), groups.weightDecay(name)]
    optimize({ builder, scale, learningRate, weightDecay }, parameter, gradient)
  }
  if (settings.pruning) maskWeights(builder, gradients, settings.pruning, scaling)
  if (settings.average) new Averaging(settings.average).update(builder, states, counts)
  const graph = scheduleUpdates(recompute(fuseGradients(builder.build()), settings.memory))
  return { ...graph, feeds: moment => builder.feedsAt(moment) }
}

/** @throws InvalidArgumentError for one of another type than float32 that is not frozen */
function trainedParameters(graph: Graph, groups: ParameterGroups): Node[] {
  const trained = parameterNodes(graph).filter(({ name }) => !groups.isFrozen(name))
  const other = trained.find(({ outputs: [{ dtype }] }) => dtype !== 'float32')
  if (other === undefined) return trained
  throw new InvalidArgumentError(
    `parameter '${other.name}' is ${other.outputs[0].dtype}, and only float32 trains: start from the model that was quantized, or freeze it by a group of rate 0`,
  )
}

/**
 * Input `image` [batch, …], output `logits` [batch, classes]; dropout gone, batch-norm folded into convolutions.
 * @throws SettingError naming the option at fault
 */
export function evaluationGraph(model: Graph, batchSize: number, options: PrecisionOptions = {}): Graph {
  graphOf(model)
  trainingStepSettings.batchSize.parse(batchSize, 'batchSize')
  const precision = precisionOptions.parse(options, '')
  return mixedPrecision(integerArithmetic(foldBatchNorm(inferenceMode(setBatchSize(model, batchSize)))), precision)
}

/**
 * What a model computes.
 * @throws InvalidArgumentError for a graph that is no model's
 */
export const logitsOf = (graph: Graph): Value => logitsIn(graphOf(graph).outputs)
