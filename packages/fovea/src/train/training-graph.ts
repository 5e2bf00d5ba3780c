/** @file From a model's graph to the graph of one training step, or of evaluation: the passes in their order. */
import { InvalidArgumentError, unknownName } from '../errors.js'
import { type Graph, type Node, parameterNodes, stateNodes, type Value } from '../graph/graph.js'
import { graphOf } from '../graph/graph-setting.js'
import { GraphBuilder } from '../ops/builder.js'
import { autodiff } from '../passes/autodiff.js'
import { foldBatchNorm } from '../passes/fold-batch-norm.js'
import { fuse } from '../passes/fuse.js'
import { fuseGradients } from '../passes/fuse-gradients.js'
import { inferenceMode } from '../passes/inference-mode.js'
import { mixedPrecision, type PrecisionOptions, precisionOptions } from '../passes/mixed-precision.js'
import { type MemoryUse, memorySetting, recompute } from '../passes/recompute.js'
import { rewriteInto } from '../passes/rewrite.js'
import { scheduleUpdates } from '../passes/schedule-updates.js'
import { setBatchSize } from '../passes/set-batch-size.js'
import { type NormStatistics, trainingMode } from '../passes/training-mode.js'
import { group } from '../settings/group.js'
import { holdBack, prepareGradients } from './gradients.js'
import { type LabelForm, type Loss, lossOf } from './loss.js'
import { createOptimizer, type OptimizerOptions } from './optimizers/index.js'
import { groupOf, hasOwnRate, type ParameterGroup } from './parameter-groups.js'
import { stepSettings } from './settings-table.js'
import { averageStates, type WeightAverage } from './weight-average.js'

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

const graphOptions = group(
  'what a step computes beside the model',
  { ...stepSettings, memory: memorySetting },
  'ignored',
)

/** The input that feeds the rate of the group at this place in the list; of all other parameters, for -1. */
export const rateInput = (group: number): string => (group < 0 ? 'learningRate' : `learningRate:${group}`)

/**
 * One step, or the part of one that is fed at once. Inputs `image`, `label`, `learningRate` (and those of groups with a rate
 * of their own, see `rateInput`), and where needed `step`, `seed`, `averageWeight`, `averageBack`, `lossScale`, `firstPart`,
 * `lastPart`; outputs `loss`, `logits`, and where they are known `gradientNorm` and `finite`; updates every parameter that is
 * not frozen, optimizer slot, average and running statistic.
 * @param options those of a whole run may be among them
 * @throws SettingError naming the option at fault; InvalidArgumentError for a parameter of another type than float32 that is
 *   not frozen
 */
export function trainingGraph(model: Graph, options: TrainingGraphOptions): Graph {
  graphOf(model)
  const settings = graphOptions.parse(options, '')
  const { batchSize, accumulate, clipNorm, groups, average } = settings
  const forward = mixedPrecision(fuse(setBatchSize(model, batchSize / accumulate)), settings)
  const isFrozen = (name: string): boolean => groups[groupOf(groups, name)]?.rate === 0
  const training = trainingMode(forward, settings.normStatistics, isFrozen)
  const builder = new GraphBuilder()
  const { mapped } = rewriteInto(builder, training)
  const logits = mapped(logitsOf(training))
  const loss = lossOf(builder, logits, settings)
  builder.output('loss', loss)

  const scalar = inputsOnce(builder)
  const stateValue = (node: Node): Value => mapped({ node, index: 0, type: node.outputs[0] })
  const trained = parameterNodes(training).filter(({ name }) => !isFrozen(name))
  const other = trained.find(({ outputs: [{ dtype }] }) => dtype !== 'float32')
  if (other !== undefined) {
    throw new InvalidArgumentError(
      `parameter '${other.name}' is ${other.outputs[0].dtype}, and only float32 trains: freeze it by a group of rate 0`,
    )
  }
  const parameters = trained.map(stateValue)
  const lossScale = settings.precision === 'mixed_float16' ? scalar('lossScale') : undefined
  const found = autodiff(builder, loss, parameters, lossScale).flatMap((gradient, i) =>
    gradient === undefined ? [] : [{ parameter: parameters[i], gradient }],
  )
  const scaling = { accumulate, ...(clipNorm === undefined ? {} : { clipNorm }), ...(lossScale && { lossScale }) }
  const { gradients, scale, counts, partCounts } = prepareGradients(builder, found, scaling)

  const running = stateNodes(training)
    .map(stateValue)
    .filter(state => builder.nextOf(state) !== undefined)
  if (partCounts) holdBack(builder, running, partCounts)
  const optimize = createOptimizer(settings.optimizer)
  for (const { parameter, gradient } of gradients) {
    const place = groupOf(groups, parameter.node.name)
    const group = groups[place]
    const learningRate = scalar(rateInput(group !== undefined && hasOwnRate(group) ? place : -1))
    const { weightDecay } = group ?? {}
    const own = weightDecay === undefined ? {} : { weightDecay }
    optimize({ builder, scale, learningRate, step: () => scalar('step'), ...own }, parameter, gradient)
  }
  if (average) averageStates(builder, stateNodes(training).map(stateValue), average, counts)
  return scheduleUpdates(recompute(fuseGradients(builder.build()), settings.memory))
}

/** Scalar inputs by name, each made when first asked for. */
function inputsOnce(builder: GraphBuilder): (name: string) => Value {
  const made = new Map<string, Value>()
  return name => {
    const value = made.get(name) ?? builder.input(name, [])
    made.set(name, value)
    return value
  }
}

/**
 * Input `image` [batch, …], output `logits` [batch, classes]; dropout gone, batch-norm folded into convolutions.
 * @throws SettingError naming the option at fault
 */
export function evaluationGraph(model: Graph, batchSize: number, options: PrecisionOptions = {}): Graph {
  graphOf(model)
  stepSettings.batchSize.parse(batchSize, 'batchSize')
  const precision = precisionOptions.parse(options, '')
  return mixedPrecision(foldBatchNorm(inferenceMode(setBatchSize(model, batchSize))), precision)
}

/**
 * What a model computes.
 * @throws InvalidArgumentError for a graph that is no model's
 */
export function logitsOf(graph: Graph): Value {
  const { outputs } = graphOf(graph)
  const logits = outputs.get('logits')
  if (logits === undefined) throw unknownName('output', 'logits', [...outputs.keys()])
  return logits
}
