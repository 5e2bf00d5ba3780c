/** @file Batch normalization and activations, by our own kernels (native/kernels/batch_norm.h, elementwise.h). */
import { type ActivationName, elements, type Node } from 'fovea/engine'
import type { Lowering } from '../lowering.js'
import { activationNumber, type Lower } from './operator.js'

/** The width to which the kernels spread per-channel tables: the rule of `Rows` in native/kernels/common.h. */
function spreadWidth(channels: number): number {
  let width = channels
  while (width % 16 !== 0) width *= 2
  while (width < 64) width *= 2
  return width
}

/** Bytes for the kernels' column sums in double, for each thread, and `tables` tables in float. */
const scratchBytes = (to: Lowering, channels: number, tables: number): number =>
  spreadWidth(channels) * (to.threads * 2 * 8 + tables * 4)

function dimensions(to: Lowering, node: Node, x: Node['inputs'][number]): number[] {
  const { shape } = x.type
  const activation = node.attrs['activation'] as ActivationName | undefined
  return [elements(shape), shape[shape.length - 1], to.type(x.type), activationNumber(activation)]
}

const epsilonOf = (node: Node): number[] => [node.attrs['epsilon'] as number]

const batchNorm: Lower = (to, node) => {
  const [x, weight, bias, mean, variance, residual] = node.inputs
  const [bx, bw, bb, bm, bv] = [x, weight, bias, mean, variance].map(input => to.read(input))
  const scratch = to.scratch(scratchBytes(to, x.type.shape.at(-1)!, 2))
  const buffers = [bx, bw, bb, residual && to.read(residual), to.writeOver(node, x), bm, bv, scratch]
  to.kernel('batchNorm', buffers, [...dimensions(to, node, x), 0], epsilonOf(node))
}

const batchNormTraining: Lower = (to, node) => {
  const [x, weight, bias, residual] = node.inputs
  const [bx, bw, bb] = [x, weight, bias].map(input => to.read(input))
  const br = residual && to.read(residual)
  const scratch = to.scratch(scratchBytes(to, x.type.shape.at(-1)!, 2))
  const buffers = [bx, bw, bb, br, to.write(node, 0), to.write(node, 1), to.write(node, 2), scratch]
  to.kernel('batchNorm', buffers, [...dimensions(to, node, x), 1], epsilonOf(node))
}

const batchNormGradient: Lower = (to, node) => {
  const [dy, x, , , , , , residual] = node.inputs
  const activation = node.attrs['activation'] as ActivationName | undefined
  // ReLU after a residual takes its mask from y; other activations of a sum need the residual again.
  const isRelu = activation === 'relu'
  const needed = node.inputs.slice(0, 7).map((_, i) => i !== 2 || (isRelu && residual !== undefined))
  const inputs = node.inputs.slice(0, 7).map((input, i) => (needed[i] ? to.read(input) : undefined))
  const scratch = to.scratch(scratchBytes(to, x.type.shape.at(-1)!, 4))
  const br = residual && activation !== undefined && !isRelu ? to.read(residual) : undefined
  // With a residual the first pass turns dy into the residual's gradient, and dx is a tensor of its own.
  const dx = residual ? to.write(node, 0) : to.writeOver(node, dy, 0)
  const dresidual = residual ? to.writeOver(node, dy, 3) : undefined
  const buffers = [...inputs, br, dx, to.write(node, 1), to.write(node, 2), dresidual, scratch]
  to.kernel('batchNormGradient', buffers, dimensions(to, node, x), epsilonOf(node))
}

const activation: Lower = (to, node) => {
  const [x] = node.inputs
  const ints = [elements(x.type.shape), to.type(x.type), activationNumber(node.op as ActivationName)]
  to.kernel('activation', [to.read(x), to.writeOver(node, x)], ints)
}

const activationGradient: Lower = (to, node) => {
  const [dy, x] = node.inputs
  const number = activationNumber(node.attrs['activation'] as ActivationName)
  const buffers = [to.read(dy), to.read(x), to.writeOver(node, dy)]
  to.kernel('activationGradient', buffers, [elements(x.type.shape), to.type(x.type), number])
}

export const normalization = {
  batchNorm,
  batchNormTraining,
  batchNormGradient,
  relu: activation,
  relu6: activation,
  silu: activation,
  gelu: activation,
  sigmoid: activation,
  hardSwish: activation,
  activationGradient,
} as const satisfies Record<string, Lower>
