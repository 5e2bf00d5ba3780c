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
const rows = ({ type: { shape } }: Value): number[] => [elements(shape) / shape.at(-1)!, shape.at(-1)!]

const softmax: Lower = (to, node) => {
  const [x] = node.inputs
  to.kernel('softmax', { reads: [to.read(x)], writes: [to.write()], ints: rows(x) })
}

const softmaxGradient: Lower = (to, node) => {
  const [dy, y] = node.inputs
  to.kernel('softmaxGradient', { reads: [to.read(dy), to.read(y)], writes: [to.write()], ints: rows(dy) })
}

const softLabels = (label: Value): number => (label.type.shape.length === 2 ? 1 : 0)
const smoothing = (node: Node): number[] => [(node.attrs as unknown as CrossEntropyAttributes).labelSmoothing]

const crossEntropy: Lower = (to, node) => {
  const [logits, label] = node.inputs
  const writes = [to.write(), to.scratch(8 * logits.type.shape[0])]
  const ints = [...rows(logits), softLabels(label)]
  to.kernel('crossEntropy', { reads: [to.read(logits), to.read(label)], writes, ints, floats: smoothing(node) })
}

const crossEntropyGradient: Lower = (to, node) => {
  const [logits, label] = node.inputs
  const reads = node.inputs.map(input => to.read(input))
  const ints = [...rows(logits), softLabels(label)]
  to.kernel('crossEntropyGradient', { reads, writes: [to.write()], ints, floats: smoothing(node) })
}

const meanSquaredError: Lower = (to, node) => {
  const reads = node.inputs.map(input => to.read(input))
  to.kernel('meanSquaredError', { reads, writes: [to.write()], ints: [elements(node.inputs[0].type.shape)] })
}

const meanSquaredErrorGradient: Lower = (to, node) => {
  const reads = node.inputs.map(input => to.read(input))
  to.kernel('meanSquaredErrorGradient', { reads, writes: [to.write()], ints: [elements(node.inputs[0].type.shape)] })
}

/** Without its seed the operator is the identity. `per` elements share one decision. */
const random =
  (per: (x: Value) => number): Lower =>
  (to, node) => {
    const [x, seed] = node.inputs
    if (seed === undefined) return identity(to, node)
    const { rate, stream } = node.attrs as unknown as RandomAttributes
    const { shape } = x.type
    const ints = [elements(shape), to.float(x.type), stream, per(x), elements(shape.slice(1))]
    to.kernel('dropout', { reads: [to.read(x), to.read(seed)], writes: [to.write()], ints, floats: [rate] })
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
  const next = to.writeState()
  const nextVelocity = velocity && to.writeState(1)
  const data = { reads: [parameter, gradient, scale, rate, velocity], writes: [next, nextVelocity] }
  to.kernel('sgd', { ...data, ints: [count, nesterov ? 1 : 0], floats: [momentum, weightDecay] })
}

const adam: Lower = (to, node) => {
  const { beta1, beta2, epsilon, weightDecay, decoupled } = node.attrs as unknown as AdamAttributes
  const { reads, count } = readLike(to, node)
  const writes = [0, 1, 2].map(i => to.writeState(i))
  const floats = [beta1, beta2, epsilon, weightDecay]
  to.kernel('adam', { reads, writes, ints: [count, decoupled ? 1 : 0], floats })
}

const rmsProp: Lower = (to, node) => {
  const { decay, momentum, epsilon, weightDecay } = node.attrs as unknown as RmsPropAttributes
  const { reads, count } = readLike(to, node)
  const writes = [0, 1, 2].map(i => to.writeState(i))
  to.kernel('rmsProp', { reads, writes, ints: [count], floats: [decay, momentum, epsilon, weightDecay] })
}

const runningAverage: Lower = (to, node) => {
  const { momentum, scale } = node.attrs as unknown as RunningAverageAttributes
  const { reads, count } = readLike(to, node)
  to.kernel('runningAverage', {
    reads,
    writes: [to.writeState()],
    ints: [count],
    floats: [momentum, scale],
  })
}

const accumulate: Lower = (to, node) => {
  const { reads, count } = readLike(to, node)
  to.kernel('accumulate', { reads, writes: [to.writeState()], ints: [count] })
}

const lerp: Lower = (to, node) => {
  const { reads, count } = readLike(to, node)
  to.kernel('lerp', { reads, writes: [to.writeState()], ints: [count] })
}

/** In the memory of the second value where that is the state to be updated. */
const where: Lower = (to, node) => {
  const [, , state] = node.inputs
  const { reads, count } = readLike(to, node, state)
  to.kernel('where', { reads, writes: [to.writeState()], ints: [count] })
}

const gradientScale: Lower = (to, node) => {
  const { parts, maxNorm } = node.attrs as unknown as GradientScaleAttributes
  const reads = node.inputs.map(input => to.read(input))
  const floats = [parts, maxNorm ?? Number.POSITIVE_INFINITY]
  to.kernel('gradientScale', { reads, writes: [to.write(0), to.write(1), to.write(2)], floats })
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
