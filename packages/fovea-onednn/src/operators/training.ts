/** @file Losses, regularization and the updates of state (native/kernels/loss.h, elementwise.h). */
import {
  type AdamAttributes,
  type CrossEntropyAttributes,
  elements,
  type GradientScaleAttributes,
  type Node,
  type RandomAttributes,
  type RmsPropAttributes,
  type RunningAverageAttributes,
  type SgdAttributes,
  type Value,
} from 'fovea/engine'
import type { Lowering } from '../lowering.js'
import type { Operand } from '../steps.js'
import { readIn } from './layout.js'
import { identity } from './movement.js'
import { inFloat32, type Lower, onWhole, type SliceLowering } from './operator.js'

/** Rows and columns of the last axis. */
const rows = ({ type: { shape } }: Value) => ({ rows: elements(shape) / shape.at(-1)!, columns: shape.at(-1)! })

const softmax: Lower = (to, node) => {
  const [x] = node.inputs
  to.kernel('softmax', { x: to.read(x), y: to.write(), ...rows(x) })
}

const softmaxGradient: Lower = (to, node) => {
  const [dy, y] = node.inputs
  to.kernel('softmaxGradient', { dy: to.read(dy), y: to.read(y), dx: to.write(), ...rows(dy) })
}

const softLabels = (label: Value): boolean => label.type.shape.length === 2
const smoothing = (node: Node): number => (node.attrs as unknown as CrossEntropyAttributes).labelSmoothing

const crossEntropy: Lower = (to, node) => {
  const [logits, label] = node.inputs
  to.kernel('crossEntropy', {
    ...{ logits: to.read(logits), labels: to.read(label), loss: to.write() },
    ...{ ...rows(logits), softLabels: softLabels(label), smoothing: smoothing(node) },
  })
}

const crossEntropyGradient: Lower = (to, node) => {
  const [logits, label, dloss] = node.inputs
  to.kernel('crossEntropyGradient', {
    ...{ logits: to.read(logits), labels: to.read(label), dloss: to.read(dloss), dlogits: to.write() },
    ...{ ...rows(logits), softLabels: softLabels(label), smoothing: smoothing(node) },
  })
}

const meanSquaredError: Lower = (to, node) => {
  const [prediction, target] = node.inputs.map(input => to.read(input))
  to.kernel('meanSquaredError', { prediction, target, loss: to.write(), elements: elements(node.inputs[0].type.shape) })
}

const meanSquaredErrorGradient: Lower = (to, node) => {
  const [prediction, target, dloss] = node.inputs.map(input => to.read(input))
  const count = elements(node.inputs[0].type.shape)
  to.kernel('meanSquaredErrorGradient', { prediction, target, dloss, dprediction: to.write(), elements: count })
}

/** Without its seed the operator is the identity. Elements of a unit share one decision. */
const random =
  (unit: (x: Value) => number): Lower =>
  (to, node) => {
    const [x, seed] = node.inputs
    if (seed === undefined) return identity(to, node)
    const { rate, stream } = node.attrs as unknown as RandomAttributes
    const { shape } = x.type
    to.kernel('dropout', {
      ...{ x: to.read(x), seed: to.read(seed), y: to.write(), elements: elements(shape), type: to.float(x.type) },
      ...{ stream, unit: unit(x), imageElements: elements(shape.slice(1)), rate },
    })
  }

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

/** The rows of a softmax are few and short beside the network: nothing is gained by slices. */
export const training = {
  softmax: onWhole(inFloat32(softmax)),
  softmaxGradient: onWhole(inFloat32(softmaxGradient)),
  crossEntropy: inFloat32(crossEntropy),
  crossEntropyGradient: inFloat32(crossEntropyGradient),
  meanSquaredError: inFloat32(meanSquaredError),
  meanSquaredErrorGradient: inFloat32(meanSquaredErrorGradient),
  dropout: random(() => 1),
  stochasticDepth: random(x => elements(x.type.shape.slice(1))),
  sgd: inFloat32(sgd),
  adam: inFloat32(adam),
  rmsProp: inFloat32(rmsProp),
  runningAverage: inFloat32(runningAverage),
  accumulate: inFloat32(accumulate),
  lerp: inFloat32(lerp),
  where: inFloat32(where),
  gradientScale: inFloat32(gradientScale),
} as const satisfies Record<string, Lower | SliceLowering>
