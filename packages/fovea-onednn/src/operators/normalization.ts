/** @file Batch normalization and activations, by our own kernels (native/kernels/batch_norm.h, elementwise.h). */
import { type ActivationName, elements, type Node, type Value } from 'fovea/engine'
import type { Lowering } from '../lowering.js'
import { aligned } from '../memory.js'
import type { Operand } from '../steps.js'
import { activationNumber, activationOf, inSlices, type Lower, type SliceLowering } from './operator.js'

/** The width to which the kernels spread per-channel tables: the rule of `Rows` in native/kernels/common.h. */
function spreadWidth(channels: number): number {
  let width = channels
  while (width % 16 !== 0) width *= 2
  while (width < 64) width *= 2
  return width
}

const channelsOf = (x: Value): number => x.type.shape.at(-1)!

/** Sizes of native/kernels/batch_norm.h: `Partial`, `Columns`, and so many tables. */
const partialBytes = (x: Value): number => aligned(8 * (8 + 2 * channelsOf(x)))
const columnsBytes = (x: Value): number => aligned(20 * spreadWidth(channelsOf(x)))
const tablesBytes = (x: Value, tables: number): number => 4 * tables * spreadWidth(channelsOf(x))

/** Elements, channels, type: what every pass over x takes. */
const passOver = (to: Lowering, x: Value): number[] => [elements(x.type.shape), channelsOf(x), to.float(x.type)]

const epsilonOf = (node: Node): number[] => [node.attrs['epsilon'] as number]

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
  const tables = to.shared(tablesBytes(x, 3))
  const data = {
    reads: [weight, bias, mean, variance],
    writes: [tables],
    ints: [channelsOf(x)],
    floats: epsilonOf(node),
  }
  to.sharedKernel('batchNormTables', data)
  return tables
}

function apply(to: Lowering, node: Node, tables: Operand, y: Operand, residual: Value | undefined): void {
  const [x] = node.inputs
  const reads = [to.read(x), residual && to.read(residual), tables]
  const ints = [...passOver(to, x), activationNumber(activationOf(node))]
  to.kernel('batchNormApply', { reads, writes: [y], ints })
}

const batchNorm: Lower = (to, node) => {
  const [x, weight, bias, mean, variance, residual] = node.inputs
  const tables = tablesOf(to, node, x, [weight, bias, mean, variance])
  apply(to, node, tables, to.write(), residual)
}

const batchNormTraining: Lower = (to, node) => {
  const [x, weight, bias, residual] = node.inputs
  const partial = to.partial(partialBytes(x))
  const data = { reads: [to.read(x)], writes: [partial, to.scratch(columnsBytes(x))], ints: passOver(to, x) }
  to.kernel('batchNormStatistics', data)
  const statistics = [to.write(1), to.write(2)]
  to.sharedKernel('batchNormMerge', { reads: [partial], writes: statistics, ints: [channelsOf(x)] })
  const tables = makeTables(to, node, x, [to.read(weight), to.read(bias)], statistics[0], statistics[1])
  to.keep(tables)
  apply(to, node, tables, to.write(0), residual)
}

const batchNormGradient: Lower = (to, node) => {
  const [dy, x, y, weight, bias, mean, variance, residual] = node.inputs
  const activation = activationOf(node)
  const kind = activationNumber(activation)
  const statistics = [to.read(mean), to.read(variance)]
  const tables = tablesOf(to, node, x, [weight, bias, mean, variance])
  // ReLU after a residual takes its mask from y; other activations of a sum need the residual again.
  const isRelu = activation === 'relu'
  const maskOf = residual && isRelu ? to.read(y) : undefined
  const again = residual && activation !== undefined && !isRelu ? to.read(residual) : undefined

  const reads = [to.read(dy), to.read(x)]
  // With a residual the first pass turns dy into the residual's gradient, and dx is a tensor of its own.
  const dresidual = residual && to.write(3)
  const partial = to.partial(partialBytes(x))
  const sums = { reads: [...reads, maskOf, again, tables], writes: [dresidual, partial, to.scratch(columnsBytes(x))] }
  to.kernel('batchNormGradientSums', { ...sums, ints: [...passOver(to, x), kind] })

  const slopes = to.shared(tablesBytes(x, 2))
  const perChannel = { reads: [partial, to.read(weight), ...statistics], writes: [to.write(1), to.write(2), slopes] }
  const given = node.attrs['statistics'] === 'given'
  const values = given ? 0 : elements(to.node.inputs[1].type.shape) / channelsOf(x)
  const ints = [channelsOf(x), values]
  to.sharedKernel('batchNormGradientTables', { ...perChannel, ints, floats: epsilonOf(node) })

  const dx = to.write(0)
  const dz = dresidual ? [dresidual, reads[1], undefined, undefined] : [...reads, maskOf, again]
  const activationLeft = dresidual ? 0 : kind
  to.kernel('batchNormGradientApply', {
    reads: [...dz, tables, slopes],
    writes: [dx],
    ints: [...passOver(to, x), activationLeft],
  })
}

const activation: Lower = (to, node) => {
  const [x] = node.inputs
  const ints = [elements(x.type.shape), to.float(x.type), activationNumber(node.op as ActivationName)]
  to.kernel('activation', { reads: [to.read(x)], writes: [to.write()], ints })
}

const activationGradient: Lower = (to, node) => {
  const [dy, x] = node.inputs
  const ints = [elements(x.type.shape), to.float(x.type), activationNumber(activationOf(node))]
  to.kernel('activationGradient', { reads: [to.read(dy), to.read(x)], writes: [to.write()], ints })
}

export const normalization = {
  batchNorm,
  batchNormTraining: inSlices(batchNormTraining),
  batchNormGradient: inSlices(batchNormGradient),
  relu: activation,
  relu6: activation,
  silu: activation,
  gelu: activation,
  sigmoid: activation,
  hardSwish: activation,
  activationGradient,
} as const satisfies Record<string, Lower | SliceLowering>
