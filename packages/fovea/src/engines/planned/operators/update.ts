/** @file The updates of state: optimizers, averages, sums over parts of a batch (native/kernels/update.h). */
import type { Node } from '../../../graph/graph.js'
import type { AdamAttributes } from '../../../ops/adam.js'
import type { GradientScaleAttributes } from '../../../ops/gradient-scale.js'
import type { RmsPropAttributes } from '../../../ops/rms-prop.js'
import type { RunningAverageAttributes } from '../../../ops/running-average.js'
import type { SgdAttributes } from '../../../ops/sgd.js'
import type { Lowering } from '../lowering.js'
import type { Operand } from '../steps.js'
import { readIn } from './layout.js'
import { inFloat32, type Lower } from './operator.js'

/** Reads an update's inputs in the layout of the state that it overwrites; scalars are dense. */
function readLike(
  to: Lowering,
  node: Node,
  state = node.inputs[0],
): { readonly reads: Operand[]; readonly count: number } {
  const layout = to.storage.layoutOf(state)
  return { reads: readIn(layout, to, node, state), count: layout.bytes / 4 }
}

const sgd: Lower = (to, node) => {
  const { momentum, nesterov, weightDecay } = node.attrs as unknown as SgdAttributes
  const { reads, count } = readLike(to, node)
  const [parameter, gradient, scale, rate, velocity] = reads
  const nextParameter = to.writeState()
  const nextVelocity = velocity && to.writeState(1)
  to.kernel('sgd', {
    ...{ parameter, gradient, scale, rate, velocity, nextParameter, nextVelocity },
    ...{ elements: count, nesterov, momentum, weightDecay },
  })
}

const adam: Lower = (to, node) => {
  const { beta1, beta2, epsilon, weightDecay, decoupled } = node.attrs as unknown as AdamAttributes
  const { reads, count } = readLike(to, node)
  const [parameter, gradient, scale, rate, step, mean, square] = reads
  const [nextParameter, nextMean, nextSquare] = [0, 1, 2].map(i => to.writeState(i))
  to.kernel('adam', {
    ...{ parameter, gradient, scale, rate, step, mean, square, nextParameter, nextMean, nextSquare },
    ...{ elements: count, decoupled, beta1, beta2, epsilon, weightDecay },
  })
}

const rmsProp: Lower = (to, node) => {
  const { decay, momentum, epsilon, weightDecay } = node.attrs as unknown as RmsPropAttributes
  const { reads, count } = readLike(to, node)
  const [parameter, gradient, scale, rate, meanSquare, velocity] = reads
  const [nextParameter, nextMeanSquare, nextVelocity] = [0, 1, 2].map(i => to.writeState(i))
  to.kernel('rmsProp', {
    ...{ parameter, gradient, scale, rate, meanSquare, velocity, nextParameter, nextMeanSquare, nextVelocity },
    ...{ elements: count, decay, momentum, epsilon, weightDecay },
  })
}

const runningAverage: Lower = (to, node) => {
  const { momentum, scale } = node.attrs as unknown as RunningAverageAttributes
  const { reads, count } = readLike(to, node)
  const [old, value] = reads
  to.kernel('runningAverage', { old, value, next: to.writeState(), elements: count, momentum, scale })
}

const accumulate: Lower = (to, node) => {
  const { reads, count } = readLike(to, node)
  const [sum, value, first] = reads
  to.kernel('accumulate', { sum, value, first, nextSum: to.writeState(), elements: count })
}

const lerp: Lower = (to, node) => {
  const { reads, count } = readLike(to, node)
  const [a, b, t] = reads
  to.kernel('lerp', { a, b, t, y: to.writeState(), elements: count })
}

/** In the memory of the second value where that is the state to be updated. */
const where: Lower = (to, node) => {
  const [, , state] = node.inputs
  const { reads, count } = readLike(to, node, state)
  const [condition, a, b] = reads
  to.kernel('where', { condition, a, b, y: to.writeState(), elements: count })
}

const gradientScale: Lower = (to, node) => {
  const { parts, maxNorm } = node.attrs as unknown as GradientScaleAttributes
  const [squares, lossScale, counts] = node.inputs.map(input => to.read(input))
  to.kernel('gradientScale', {
    ...{ squares, lossScale, counts, factor: to.write(0), norm: to.write(1), finite: to.write(2) },
    ...{ parts, longestNorm: maxNorm ?? Number.POSITIVE_INFINITY },
  })
}

export const updates = {
  sgd: inFloat32(sgd),
  adam: inFloat32(adam),
  rmsProp: inFloat32(rmsProp),
  runningAverage: inFloat32(runningAverage),
  accumulate: inFloat32(accumulate),
  lerp: inFloat32(lerp),
  where: inFloat32(where),
  gradientScale: inFloat32(gradientScale),
} as const satisfies Record<string, Lower>
