/**
 * @file Convolutions and linear layers, by oneDNN: a linear layer is a 1×1 convolution of 1×1 images. Weights are read
 * in the layout that each primitive prefers (weight-layout.ts says in which they live).
 */
import {
  activationOf,
  activations,
  type Conv2dAttributes,
  consumers,
  type EnumerationName,
  elements,
  enumerationNumber,
  isHalf,
  type Lower,
  type Lowering,
  type Node,
  type Operand,
  onWhole,
  outputOf,
  type Shape,
  type Target,
  type TensorType,
  tensorBytes,
  type Value,
} from 'fovea/engine'
import type { Convolution } from '../addon.js'
import type { Direction } from '../capabilities.js'
import type { OnednnTarget } from '../onednn-target.js'
import { depthwiseWeightGradient, hasDirectWeightGradient } from './depthwise.js'
import { integerConv2d } from './integer-convolution.js'
import { hasPairedWeightGradient, pairedWeightGradient } from './weight-gradient.js'
import { gainsByWinograd } from './winograd.js'

const pointwise: Conv2dAttributes = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 }

/** N×C as N×1×1×C, O×I as O×I×1×1. */
const asImages = (shape: Shape): Shape => (shape.length === 2 ? [shape[0], 1, 1, shape[1]] : shape)
const asWeights = (shape: Shape): Shape => (shape.length === 2 ? [...shape, 1, 1] : shape)

interface Geometry {
  readonly direction: Direction
  readonly x: Shape
  readonly y: Shape
  readonly weight: Shape
  readonly attrs: Conv2dAttributes
  readonly bias: boolean
}

export function geometryOf(node: Node): Geometry {
  const attrs = 'groups' in node.attrs ? (node.attrs as unknown as Conv2dAttributes) : pointwise
  const [a, b, bias] = node.inputs.map(input => input.type.shape)
  const [result] = node.outputs.map(type => type.shape)
  switch (node.op) {
    case 'conv2d':
    case 'linear':
      return { direction: 'forward', x: a, y: result, weight: b, attrs, bias: bias !== undefined }
    case 'integerConv2d':
      return { direction: 'forward', x: a, y: result, weight: b, attrs, bias: false }
    case 'conv2dInputGradient':
    case 'linearInputGradient':
      return { direction: 'inputGradient', x: result, y: a, weight: b, attrs, bias: false }
    default:
      return { direction: 'weightGradient', x: a, y: b, weight: result, attrs, bias: node.outputs.length > 1 }
  }
}

/** Those with an exponential take less time by a kernel of ours, while the result is in the cache, than inside oneDNN's. */
function hasSlowActivation(node: Node): boolean {
  const activation = activationOf(node)
  return activation !== 'none' && activations[activation].exponential
}

/** The same in all three directions. */
const multiplyAddsOf = ({ y, weight }: Pick<Geometry, 'y' | 'weight'>): number =>
  elements(y) * elements(weight.slice(1))

/** A lowering that knows its target. */
export type OwnLower = (own: OnednnTarget, ...given: Parameters<Lower>) => void

/** So few multiply-adds are done by one thread before another has heard of them. */
const SMALL_MULTIPLY_ADDS = 1 << 19

/** Of a node as it is in the graph: for a slice where it runs on slices. */
export const primitiveOf = (own: OnednnTarget, to: Lowering, whole: Node): Convolution =>
  makePrimitive(own, to, whole, node => ({
    type: isWidened(own, node) ? 'float32' : to.float(node.inputs[0].type),
    activation: hasSlowActivation(node) ? 'none' : activationOf(node),
    sum: geometryOf(node).direction === 'forward' && node.inputs.length > 3,
    winograd: gainsByWinograd(whole, own.capabilities.winograd),
  }))

/** What a convolution computes, beside its geometry. */
interface Computed {
  readonly type: EnumerationName<'ElementType'>
  readonly activation: EnumerationName<'Activation'>
  /** Whether it adds to what its output holds. */
  readonly sum: boolean
  readonly winograd: boolean
}

export function makePrimitive(
  own: OnednnTarget,
  to: Lowering,
  whole: Node,
  computed: (node: Node) => Computed,
): Convolution {
  return own.primitive(whole, () => {
    const { node, slices } = to.slicing(whole)
    const { direction, x, y, weight, attrs, bias } = geometryOf(node)
    const { type, activation, sum, winograd } = computed(node)
    const [batch, inHeight, inWidth, inChannels] = asImages(x)
    const [, outHeight, outWidth, outChannels] = asImages(y)
    const [, , kernelHeight, kernelWidth] = asWeights(weight)
    const [top, bottom, left, right] = attrs.padding
    // oneDNN wants the padding that the windows really use, which flooring the output size may leave partly unused.
    const used = (out: number, stride: number, dilation: number, kernel: number, size: number, before: number) =>
      (out - 1) * stride + dilation * (kernel - 1) + 1 - size - before
    const alone = slices > 0 || multiplyAddsOf({ y, weight }) < SMALL_MULTIPLY_ADDS
    const primitive = own.native.convolution({
      direction: enumerationNumber('Direction', direction),
      type: enumerationNumber('ElementType', type),
      batch,
      inChannels,
      inHeight,
      inWidth,
      outChannels,
      outHeight,
      outWidth,
      kernelHeight,
      kernelWidth,
      strideY: attrs.stride[0],
      strideX: attrs.stride[1],
      top,
      bottom: Math.min(bottom, used(outHeight, attrs.stride[0], attrs.dilation[0], kernelHeight, inHeight, top)),
      left,
      right: Math.min(right, used(outWidth, attrs.stride[1], attrs.dilation[1], kernelWidth, inWidth, left)),
      dilationY: attrs.dilation[0],
      dilationX: attrs.dilation[1],
      groups: attrs.groups,
      bias: bias ? 1 : 0,
      activation: enumerationNumber('Activation', activation),
      threads: alone ? 1 : own.threads,
      sum: sum ? 1 : 0,
      winograd: winograd ? 1 : 0,
      fixedWeights: to.graph.updates.size === 0 ? 1 : 0,
    })
    own.layouts.note(primitive.weightsLayout, primitive.weightsBytes)
    return primitive
  })
}

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

const asFloat32 = (type: TensorType): TensorType => ({ ...type, dtype: 'float32' })

const isWide = (to: Lowering, value: Value): boolean => to.storage.storedType(value).dtype === 'float32'

/** The numbers of a 16-bit tensor in a float32 one. */
function widen(to: Lowering, value: Value): Operand {
  if (isWide(to, value)) return to.read(value)
  const wide = to.temporary(tensorBytes(asFloat32(value.type)))
  widenInto(to, value, wide)
  return wide
}

function widenInto(to: Lowering, value: Value, target: Operand): void {
  convert(to, to.read(value), to.storage.storedType(value), target, asFloat32(value.type))
}

/** Runs `compute` into a float32 tensor and rounds it into the node's output. */
function narrowed(to: Lowering, type: TensorType, compute: (y: Operand) => void): void {
  const wide = to.temporary(tensorBytes(asFloat32(type)))
  compute(wide)
  convert(to, wide, asFloat32(type), to.write(), type)
}

function convert(to: Lowering, source: Operand, from: TensorType, target: Operand, into: TensorType): void {
  const types = { from: to.type(from), to: to.type(into) }
  to.kernel('cast', { x: source, y: target, elements: elements(from.shape), ...types })
}

const forward: OwnLower = (own, to, node, whole) => {
  const primitive = primitiveOf(own, to, whole)
  const { groups } = geometryOf(node).attrs
  const [x, weight, bias, residual] = node.inputs
  const run = (input: Operand, y: Operand, type = asFloat32(node.outputs[0])): void => {
    to.runPrimitive(primitive, [input, to.read(weight, primitive.weightsLayout, groups), bias && to.read(bias)], [y])
    if (!hasSlowActivation(node)) return
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
  const primitive = primitiveOf(own, to, whole)
  const { groups } = geometryOf(node).attrs
  const [dy, weight] = node.inputs
  const run = (gradient: Operand, dx: Operand): void =>
    to.runPrimitive(primitive, [gradient, to.read(weight, primitive.weightsLayout, groups)], [dx])
  if (!isWidened(own, node)) return run(to.read(dy), to.write())
  narrowed(to, node.outputs[0], dx => run(widen(to, dy), dx))
}

const weightGradient: OwnLower = (own, to, node, whole) => {
  if (hasDirectWeightGradient(node)) return depthwiseWeightGradient(to, node)
  if (hasPairedWeightGradient(node, own.capabilities)) return pairedWeightGradient(own, to, node)
  const primitive = primitiveOf(own, to, whole)
  const reads = node.inputs.map(input => (isWidened(own, node) ? widen(to, input) : to.read(input)))
  const dw = to.write(0, primitive.weightsLayout, primitive.weightsBytes, geometryOf(node).attrs.groups)
  to.runPrimitive(primitive, reads, [dw, node.outputs.length > 1 ? to.write(1) : undefined])
}

/** A linear layer is one product of matrices for the whole batch. */
export function convolutionsOf(own: OnednnTarget): Target['convolutions'] {
  const bound =
    (lower: OwnLower): Lower =>
    (to, node, whole) =>
      lower(own, to, node, whole)
  /** All images share the weights that Winograd's algorithm transforms. */
  const unlessWinograd = (node: Node): boolean => !gainsByWinograd(node, own.capabilities.winograd)
  /** Kernels of ours add up what slices come to, oneDNN does not. */
  const addsUpSlices = (node: Node): boolean =>
    unlessWinograd(node) && (hasDirectWeightGradient(node) || hasPairedWeightGradient(node, own.capabilities))
  return {
    conv2d: { lower: bound(forward), inSlices: unlessWinograd },
    linear: onWhole(bound(forward)),
    integerConv2d: bound(integerConv2d),
    conv2dInputGradient: { lower: bound(inputGradient), inSlices: unlessWinograd },
    linearInputGradient: onWhole(bound(inputGradient)),
    conv2dWeightGradient: { lower: bound(weightGradient), inSlices: addsUpSlices },
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
