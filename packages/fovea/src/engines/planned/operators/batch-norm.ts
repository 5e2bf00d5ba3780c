/** @file Batch normalization, by our own kernels (native/kernels/batch_norm.h). */
import type { Node, Value } from '../../../graph/graph.js'
import { elements } from '../../../graph/types.js'
import { kernelBytes } from '../kernels/emit.js'
import type { Lowering } from '../lowering.js'
import type { Operand } from '../steps.js'
import { activationOf, hasExponential, inFloat32, inSlices, type Lower, type LoweringEntry } from './operator.js'

const channelsOf = (x: Value): number => x.type.shape.at(-1)!

/** What every pass over x takes. */
const passOver = (to: Lowering, x: Value) => ({
  elements: elements(x.type.shape),
  channels: channelsOf(x),
  type: to.float(x.type),
})

/** What each thread sees of the batch. */
const sumsOf = (to: Lowering, x: Value): Operand =>
  to.partial(kernelBytes('batchNormMerge', 'sums', { channels: channelsOf(x) }))

const epsilonOf = (node: Node): number => node.attrs['epsilon'] as number

/** By channel y = x·scale + offset, of the normalization by this mean and variance; those of the forward pass, if they are. */
function tablesOf(to: Lowering, node: Node, x: Value, perChannel: readonly Value[]): Operand {
  const kept = isOfTraining(perChannel, node) ? to.kept(perChannel[2].node) : undefined
  if (kept !== undefined) return kept
  const [weight, bias, mean, variance] = perChannel.map(value => to.read(value))
  return makeTables(to, node, x, [weight, bias], mean, variance)
}

/** Whether statistics, weight, bias and epsilon are all those of one batch-norm in training. */
function isOfTraining([weight, bias, mean, variance]: readonly Value[], { attrs }: Node): boolean {
  const norm = mean.node
  const same = (a: Value, b: Value): boolean => a.node === b.node && a.index === b.index
  return (
    norm.op === 'batchNormTraining' &&
    mean.index === 1 &&
    same(variance, { ...mean, index: 2 }) &&
    same(weight, norm.inputs[1]) &&
    same(bias, norm.inputs[2]) &&
    norm.attrs['epsilon'] === attrs['epsilon']
  )
}

function makeTables(
  to: Lowering,
  node: Node,
  x: Value,
  [weight, bias]: readonly Operand[],
  mean: Operand,
  variance: Operand,
) {
  const channels = channelsOf(x)
  const tables = to.shared(kernelBytes('batchNormTables', 'tables', { channels }))
  to.sharedKernel('batchNormTables', { weight, bias, mean, variance, tables, channels, epsilon: epsilonOf(node) })
  return tables
}

function apply(to: Lowering, node: Node, tables: Operand, y: Operand, residual: Value | undefined): void {
  const [x] = node.inputs
  to.kernel('batchNormApply', {
    ...{ x: to.read(x), residual: residual && to.read(residual), tables, y },
    ...{ ...passOver(to, x), activation: activationOf(node) },
  })
}

const batchNorm: Lower = (to, node) => {
  const [x, weight, bias, mean, variance, residual] = node.inputs
  const tables = tablesOf(to, node, x, [weight, bias, mean, variance])
  apply(to, node, tables, to.write(), residual)
}

const batchNormTraining: Lower = (to, node) => {
  const [x, weight, bias, residual] = node.inputs
  const sums = sumsOf(to, x)
  to.kernel('batchNormStatistics', { x: to.read(x), sums, ...passOver(to, x) })
  const [mean, variance] = [to.write(1), to.write(2)]
  to.sharedKernel('batchNormMerge', { sums, mean, variance, channels: channelsOf(x) })
  const tables = makeTables(to, node, x, [to.read(weight), to.read(bias)], mean, variance)
  to.keep(tables)
  apply(to, node, tables, to.write(0), residual)
}

const batchNormGradient: Lower = (to, node, whole) => {
  const [dy, x, y, weight, bias, mean, variance, residual] = node.inputs
  const activation = activationOf(node)
  const statistics = { mean: to.read(mean), variance: to.read(variance) }
  const tables = tablesOf(to, node, x, [weight, bias, mean, variance])
  // ReLU after a residual takes its mask from y; other activations of a sum need the residual again.
  const isRelu = activation === 'relu'
  const maskOf = residual && isRelu ? to.read(y) : undefined
  const again = residual && activation !== 'none' && !isRelu ? to.read(residual) : undefined

  const channels = channelsOf(x)
  const pass = { x: to.read(x), tables, ...passOver(to, x) }
  const gradient = { dy: to.read(dy), y: maskOf, residual: again, activation }
  // The gradient by the activation's input is the residual's too, and dx is a tensor of its own. Without a residual it lies in dx
  // between the passes, where to compute it again takes longer than to write and read it.
  const dresidual = residual && to.write(3)
  const dx = to.write(0)
  const dz = dresidual ?? (hasExponential(node) ? dx : undefined)
  const sums = sumsOf(to, x)
  to.kernel('batchNormGradientSums', { ...pass, ...gradient, dz, sums })

  const slopes = to.shared(kernelBytes('batchNormGradientTables', 'slopes', { channels }))
  const given = node.attrs['statistics'] === 'given'
  to.sharedKernel('batchNormGradientTables', {
    ...{ sums, weight: to.read(weight), ...statistics, dweight: to.write(1), dbias: to.write(2), slopes, channels },
    valuesPerChannel: given ? 0 : elements(whole.inputs[1].type.shape) / channels,
    epsilon: epsilonOf(node),
  })

  const left = dz ? ({ dy: dz, y: undefined, residual: undefined, activation: 'none' } as const) : gradient
  to.kernel('batchNormGradientApply', { ...pass, ...left, slopes, dx })
}

const foldedWeights: Lower = (to, node) => {
  const [{ type }] = node.inputs
  const reads = node.inputs.map(input => to.read(input))
  const [channels] = type.shape
  to.kernel('foldBatchNorm', {
    ...{ weight: reads[0], gamma: reads[1], beta: reads[2], mean: reads[3], variance: reads[4], bias: reads[5] },
    ...{ folded: to.write(0), foldedBias: to.write(1), channels, perChannel: elements(type.shape) / channels },
    epsilon: epsilonOf(node),
  })
}

export const batchNorms = {
  batchNorm,
  batchNormTraining: inSlices(batchNormTraining),
  batchNormGradient: inSlices(batchNormGradient),
  foldedWeights: inFloat32(foldedWeights),
} as const satisfies Record<string, LoweringEntry>
