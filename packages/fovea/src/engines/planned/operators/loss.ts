/** @file Softmax and losses (native/kernels/loss.h). */
import type { Node, Value } from '../../../graph/graph.js'
import { elements } from '../../../graph/types.js'
import type { CrossEntropyAttributes } from '../../../ops/cross-entropy.js'
import { inFloat32, type Lower, type LoweringEntry, onWhole } from './operator.js'

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

/** The rows of a softmax are few and short beside the network: nothing is gained by slices. */
export const losses = {
  softmax: onWhole(inFloat32(softmax)),
  softmaxGradient: onWhole(inFloat32(softmaxGradient)),
  crossEntropy: inFloat32(crossEntropy),
  crossEntropyGradient: inFloat32(crossEntropyGradient),
  meanSquaredError: inFloat32(meanSquaredError),
  meanSquaredErrorGradient: inFloat32(meanSquaredErrorGradient),
} as const satisfies Record<string, LoweringEntry>
