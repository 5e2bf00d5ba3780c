/** @file Losses, regularization and the updates of state (native/kernels/loss.h, elementwise.h). */
import {
  type AdamAttributes,
  type CrossEntropyAttributes,
  elements,
  type Node,
  type RandomAttributes,
  type RmsPropAttributes,
  type RunningAverageAttributes,
  type SgdAttributes,
  type Value,
} from 'fovea/engine'
import type { Buffer, Lowering } from '../lowering.js'
import { identity } from './movement.js'
import type { Lower } from './operator.js'

/** Rows and columns of the last axis. */
const rows = ({ type: { shape } }: Value): number[] => [elements(shape) / shape.at(-1)!, shape.at(-1)!]

const softmax: Lower = (to, node) => {
  const [x] = node.inputs
  to.kernel('softmax', [to.read(x), to.writeOver(node, x)], rows(x))
}

const softmaxGradient: Lower = (to, node) => {
  const [dy, y] = node.inputs
  to.kernel('softmaxGradient', [to.read(dy), to.read(y), to.writeOver(node, dy)], rows(dy))
}

const softLabels = (label: Value): number => (label.type.shape.length === 2 ? 1 : 0)
const smoothing = (node: Node): number[] => [(node.attrs as unknown as CrossEntropyAttributes).labelSmoothing]

const crossEntropy: Lower = (to, node) => {
  const [logits, label] = node.inputs
  const scratch = to.scratch(8 * logits.type.shape[0])
  const buffers = [to.read(logits), to.read(label), to.write(node), scratch]
  to.kernel('crossEntropy', buffers, [...rows(logits), softLabels(label)], smoothing(node))
}

const crossEntropyGradient: Lower = (to, node) => {
  const [logits, label, dloss] = node.inputs
  const buffers = [to.read(logits), to.read(label), to.read(dloss), to.write(node)]
  to.kernel('crossEntropyGradient', buffers, [...rows(logits), softLabels(label)], smoothing(node))
}

const meanSquaredError: Lower = (to, node) => {
  const [prediction, target] = node.inputs
  const buffers = [to.read(prediction), to.read(target), to.write(node)]
  to.kernel('meanSquaredError', buffers, [elements(prediction.type.shape)])
}

const meanSquaredErrorGradient: Lower = (to, node) => {
  const inputs = node.inputs.map(input => to.read(input))
  to.kernel('meanSquaredErrorGradient', [...inputs, to.write(node)], [elements(node.inputs[0].type.shape)])
}

/** Without its seed the operator is the identity. `per` elements share one decision. */
const random =
  (per: (x: Value) => number): Lower =>
  (to, node) => {
    const [x, seed] = node.inputs
    if (seed === undefined) return identity(to, node)
    const { rate, stream } = node.attrs as unknown as RandomAttributes
    const buffers = [to.read(x), to.read(seed), to.writeOver(node, x)]
    to.kernel('dropout', buffers, [elements(x.type.shape), to.type(x.type), stream, per(x)], [rate])
  }

/** Reads an update's inputs in the layout of its first, the parameter; scalars are dense. */
function readLike(to: Lowering, node: Node): { readonly buffers: Buffer[]; readonly count: number } {
  const [parameter] = node.inputs
  const { layout, groups, bytes } = to.layoutOf(parameter)
  const buffers = node.inputs.map(input =>
    elements(input.type.shape) === elements(parameter.type.shape) && input.type.shape.length > 0
      ? to.read(input, layout, groups)
      : to.read(input),
  )
  return { buffers, count: bytes / 4 }
}

const sgd: Lower = (to, node) => {
  const { momentum, nesterov, weightDecay } = node.attrs as unknown as SgdAttributes
  const { buffers, count } = readLike(to, node)
  const [parameter, gradient, rate, velocity] = buffers
  const next = to.writeState(node, 0, node.inputs[0])
  const nextVelocity = velocity && to.writeState(node, 1, node.inputs[3])
  const all = [parameter, gradient, rate, velocity, next, nextVelocity]
  to.kernel('sgd', all, [count, nesterov ? 1 : 0], [momentum, weightDecay])
}

const adam: Lower = (to, node) => {
  const { beta1, beta2, epsilon, weightDecay, decoupled } = node.attrs as unknown as AdamAttributes
  const { buffers, count } = readLike(to, node)
  const [parameter, , , , m, v] = node.inputs
  const results = [parameter, m, v].map((state, i) => to.writeState(node, i, state))
  to.kernel('adam', [...buffers, ...results], [count, decoupled ? 1 : 0], [beta1, beta2, epsilon, weightDecay])
}

const rmsProp: Lower = (to, node) => {
  const { decay, momentum, epsilon, weightDecay } = node.attrs as unknown as RmsPropAttributes
  const { buffers, count } = readLike(to, node)
  const [parameter, , , meanSquare, velocity] = node.inputs
  const results = [parameter, meanSquare, velocity].map((state, i) => to.writeState(node, i, state))
  to.kernel('rmsProp', [...buffers, ...results], [count], [decay, momentum, epsilon, weightDecay])
}

const runningAverage: Lower = (to, node) => {
  const { momentum, scale } = node.attrs as unknown as RunningAverageAttributes
  const { buffers, count } = readLike(to, node)
  to.kernel('runningAverage', [...buffers, to.writeState(node, 0, node.inputs[0])], [count], [momentum, scale])
}

export const training = {
  softmax,
  softmaxGradient,
  crossEntropy,
  crossEntropyGradient,
  meanSquaredError,
  meanSquaredErrorGradient,
  dropout: random(() => 1),
  stochasticDepth: random(x => elements(x.type.shape.slice(1))),
  sgd,
  adam,
  rmsProp,
  runningAverage,
} as const satisfies Record<string, Lower>
