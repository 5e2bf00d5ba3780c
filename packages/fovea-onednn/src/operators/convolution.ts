/**
 * @file Convolutions and linear layers, by oneDNN: a linear layer is a 1×1 convolution of 1×1 images (primitive.ts). Weights are read
 * in the layout that each primitive prefers (weight-layout.ts says in which they live).
 */
import {
  activationOf,
  asFloat32,
  consumers,
  depthwiseWeightGradient,
  elements,
  geometryOf,
  hasDirectWeightGradient,
  hasExponential,
  isHalf,
  isWide,
  type Lower,
  type Lowering,
  multiplyAddsOf,
  type Node,
  narrowed,
  type Operand,
  onWhole,
  outputOf,
  type Target,
  widen,
  widenInto,
} from 'fovea/engine'
import type { Convolution } from '../addon.js'
import type { OnednnTarget } from '../onednn-target.js'
import { integerConv2d } from './integer-convolution.js'
import { makePrimitive, type OwnLower } from './primitive.js'
import { addsUpSlices, hasOwnWeightGradient, ownWeightGradient } from './weight-gradient.js'
import { gainsByWinograd, winogradForward, winogradGradient, winogradInputGradient } from './winograd.js'

/** Of a convolution or linear layer in floats. */
export const primitiveOf = (own: OnednnTarget, to: Lowering, whole: Node): Convolution =>
  makePrimitive(own, to, whole, node => ({
    type: isWidened(own, node) ? 'float32' : to.float(node.inputs[0].type),
    // Those with an exponential take less time by a kernel of ours, while the result is in the cache, than inside oneDNN's.
    activation: hasExponential(node) ? 'none' : activationOf(node),
    sum: geometryOf(node).direction === 'forward' && node.inputs.length > 3,
  }))

/**
 * From how many multiply-adds for each number that is cast on widening pays: it saves about as much time as the
 * convolution takes in float32, and costs casts, which go through the cache slice by slice, but through memory for the
 * gradient of the weights.
 */
const wideningPays = { forward: 12, inputGradient: 12, weightGradient: 64 } as const

/** Whether a convolution of 16-bit tensors is computed in float32. */
function isWidened(own: OnednnTarget, node: Node): boolean {
  const { dtype } = node.inputs[0].type
  if (!isHalf(dtype)) return false
  const { direction, x, y, weight, attrs } = geometryOf(node)
  const widened = own.capabilities.widening[dtype](direction, attrs.groups > 1 && weight[1] === 1)
  if (widened !== 'where it pays') return widened === 'always'
  const pays = (casts: number): boolean => multiplyAddsOf({ y, weight }) >= wideningPays[direction] * casts
  if (pays(elements(x) + elements(y))) return true
  // After another such convolution the input is float32 already, and need not be rounded (chooseWideStorage).
  const [{ node: before }] = node.inputs
  return isForward(node) && isForward(before) && pays(elements(y) - elements(x)) && isWidened(own, before)
}

const forward: OwnLower = (own, to, node, whole) => {
  if (gainsByWinograd(whole, own.capabilities)) return winogradForward(own, to, node)
  const primitive = primitiveOf(own, to, whole)
  const { groups } = geometryOf(node).attrs
  const [x, weight, bias, residual] = node.inputs
  const run = (input: Operand, y: Operand, type = asFloat32(node.outputs[0])): void => {
    to.runPrimitive(primitive, [input, to.read(weight, primitive.weights.layout, groups), bias && to.read(bias)], [y])
    if (!hasExponential(node)) return
    const activation = activationOf(node)
    to.kernel('activation', { x: y, y, elements: elements(type.shape), type: to.float(type), activation })
  }
  if (!isWidened(own, node)) return run(to.read(x), residual ? to.writeOnto(residual) : to.write(), node.outputs[0])
  const compute = (y: Operand): void => {
    if (residual) widenInto(to, residual, y)
    run(widen(to, x), y)
  }
  if (!isWide(to, outputOf(whole))) return narrowed(to, node.outputs[0], compute)
  if (residual && isWide(to, residual)) return run(widen(to, x), to.writeOnto(residual))
  compute(to.write())
}

const inputGradient: OwnLower = (own, to, node, whole) => {
  if (gainsByWinograd(whole, own.capabilities)) return winogradInputGradient(own, to, node)
  const primitive = primitiveOf(own, to, whole)
  const { groups } = geometryOf(node).attrs
  const [dy, weight] = node.inputs
  const run = (gradient: Operand, dx: Operand): void =>
    to.runPrimitive(primitive, [gradient, to.read(weight, primitive.weights.layout, groups)], [dx])
  if (!isWidened(own, node)) return run(to.read(dy), to.write())
  narrowed(to, node.outputs[0], dx => run(widen(to, dy), dx))
}

const weightGradient: OwnLower = (own, to, node, whole) => {
  if (hasDirectWeightGradient(node)) return depthwiseWeightGradient(to, node)
  if (gainsByWinograd(whole, own.capabilities)) return winogradGradient(own, to, node)
  if (hasOwnWeightGradient(node, own.capabilities)) return ownWeightGradient(own, to, node, whole)
  const primitive = primitiveOf(own, to, whole)
  const reads = node.inputs.map(input => (isWidened(own, node) ? widen(to, input) : to.read(input)))
  const { layout, bytes } = primitive.weights
  const dw = to.write(0, layout, bytes, geometryOf(node).attrs.groups)
  to.runPrimitive(primitive, reads, [dw, node.outputs.length > 1 ? to.write(1) : undefined])
}

/** A linear layer is one product of matrices for the whole batch. */
export function convolutionsOf(own: OnednnTarget): Target['convolutions'] {
  const bound =
    (lower: OwnLower): Lower =>
    (to, node, whole) =>
      lower(own, to, node, whole)
  /** All images share the weights that Winograd's algorithm transforms. */
  const unlessWinograd = (node: Node): boolean => !gainsByWinograd(node, own.capabilities)
  /** Kernels of ours add up what slices come to, oneDNN does not. */
  const takesSlices = (node: Node): boolean =>
    unlessWinograd(node) && (hasDirectWeightGradient(node) || addsUpSlices(node, own.capabilities))
  return {
    conv2d: { lower: bound(forward), inSlices: unlessWinograd },
    linear: onWhole(bound(forward)),
    integerConv2d: bound(integerConv2d),
    conv2dInputGradient: { lower: bound(inputGradient), inSlices: unlessWinograd },
    linearInputGradient: onWhole(bound(inputGradient)),
    conv2dWeightGradient: { lower: bound(weightGradient), inSlices: takesSlices },
    linearWeightGradient: onWhole(bound(weightGradient)),
  }
}

/**
 * Between two convolutions that compute in float32, within one loop over slices of the batch, a 16-bit value stays float32:
 * it does not leave the cache, where rounding it and reading it back takes longer than twice the bytes. Where others read
 * it too, as the backward pass does, it is kept for long, and its bytes count.
 */
export function chooseWideStorage(own: OnednnTarget, to: Lowering): void {
  const readers = consumers(to.graph)
  for (const node of to.graph.nodes) {
    const { slices } = to.slicing(node)
    const stays = (reader: Node): boolean =>
      isForward(reader) &&
      isWidened(own, reader) &&
      reader.inputs[1].node !== node &&
      to.slicing(reader).slices === slices
    if (!isForward(node) || !isWidened(own, node) || slices === 0 || to.storage.isOutput(node)) continue
    if (readers.get(node)!.every(stays)) to.storage.storeWide(node)
  }
}

const isForward = ({ op }: Node): boolean => op === 'conv2d' || op === 'linear'
