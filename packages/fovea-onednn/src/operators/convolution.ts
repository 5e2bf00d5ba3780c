/**
 * @file Convolutions and linear layers, by oneDNN: a linear layer is a 1×1 convolution of 1×1 images. Weights are read
 * in the layout that each primitive prefers (weight-layout.ts says in which they live).
 */
import {
  activations,
  type Conv2dAttributes,
  consumers,
  elements,
  isHalf,
  type Node,
  type Shape,
  type TensorType,
  tensorBytes,
  type Value,
} from 'fovea/engine'
import type { Primitive } from '../addon.js'
import type { Direction } from '../arithmetic.js'
import { enumerationNumber } from '../kernels/field.js'
import type { Lowering } from '../lowering.js'
import type { Operand } from '../steps.js'
import { depthwiseWeightGradient, hasDirectWeightGradient } from './depthwise.js'
import { activationOf, inFloat32, type Lower, onWhole, output, type SliceLowering } from './operator.js'
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

/** Of the whole node or of its view for one slice: both have the same primitive, for a slice where the node is sliced. */
export function primitiveOf(to: Lowering, original: Node): Primitive {
  return to.primitive(original, () => {
    const { node } = to.view(original)
    const { direction, x, y, weight, attrs, bias } = geometryOf(node)
    const [batch, inHeight, inWidth, inChannels] = asImages(x)
    const [, outHeight, outWidth, outChannels] = asImages(y)
    const [, , kernelHeight, kernelWidth] = asWeights(weight)
    const [top, bottom, left, right] = attrs.padding
    // oneDNN wants the padding that the windows really use, which flooring the output size may leave partly unused.
    const used = (out: number, stride: number, dilation: number, kernel: number, size: number, before: number) =>
      (out - 1) * stride + dilation * (kernel - 1) + 1 - size - before
    const primitive = to.plan.convolution({
      direction: enumerationNumber('Direction', direction),
      type: enumerationNumber('ElementType', isWidened(to, node) ? 'float32' : to.float(node.inputs[0].type)),
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
      activation: enumerationNumber('Activation', hasSlowActivation(node) ? 'none' : activationOf(node)),
      threads: to.threadsFor(original, multiplyAddsOf({ y, weight })),
      sum: direction === 'forward' && node.inputs.length > 3 ? 1 : 0,
      winograd: gainsByWinograd(original, to.arithmetic.winograd) ? 1 : 0,
      fixedWeights: to.graph.updates.size === 0 ? 1 : 0,
    })
    to.layouts.note(primitive.weightsLayout, primitive.weightsBytes)
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
function isWidened(to: Lowering, node: Node): boolean {
  const { dtype } = node.inputs[0].type
  if (!isHalf(dtype)) return false
  const { direction, x, y, weight, attrs } = geometryOf(node)
  const widened = to.arithmetic.widening[dtype](direction, attrs.groups > 1 && weight[1] === 1)
  if (widened !== 'where it pays') return widened === 'always'
  const pays = (casts: number): boolean => multiplyAddsOf({ y, weight }) >= wideningPays[direction] * casts
  if (pays(elements(x) + elements(y))) return true
  // After another such convolution the input is float32 already, and need not be rounded (chooseWideStorage).
  const [{ node: before }] = node.inputs
  return isForward(node) && isForward(before) && pays(elements(y) - elements(x)) && isWidened(to, before)
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

const forward: Lower = (to, node) => {
  const primitive = primitiveOf(to, to.node)
  const { groups } = geometryOf(node).attrs
  const [x, weight, bias, residual] = node.inputs
  const run = (input: Operand, y: Operand, type = asFloat32(node.outputs[0])): void => {
    to.runPrimitive(primitive, [input, to.read(weight, primitive.weightsLayout, groups), bias && to.read(bias)], [y])
    if (!hasSlowActivation(node)) return
    const activation = activationOf(node)
    to.kernel('activation', { x: y, y, elements: elements(type.shape), type: to.float(type), activation })
  }
  if (!isWidened(to, node)) return run(to.read(x), residual ? to.writeOnto(residual) : to.write(), node.outputs[0])
  const compute = (y: Operand): void => {
    if (residual) widenInto(to, residual, y)
    run(widen(to, x), y)
  }
  if (!isWide(to, output(to.node))) return narrowed(to, node.outputs[0], compute)
  if (residual && isWide(to, residual)) return run(widen(to, x), to.writeOnto(residual))
  compute(to.write())
}

const inputGradient: Lower = (to, node) => {
  const primitive = primitiveOf(to, to.node)
  const { groups } = geometryOf(node).attrs
  const [dy, weight] = node.inputs
  const run = (gradient: Operand, dx: Operand): void =>
    to.runPrimitive(primitive, [gradient, to.read(weight, primitive.weightsLayout, groups)], [dx])
  if (!isWidened(to, node)) return run(to.read(dy), to.write())
  narrowed(to, node.outputs[0], dx => run(widen(to, dy), dx))
}

const weightGradient: Lower = (to, node) => {
  if (hasDirectWeightGradient(node)) return depthwiseWeightGradient(to, node)
  if (hasPairedWeightGradient(node, to.arithmetic)) return pairedWeightGradient(to, node)
  const primitive = primitiveOf(to, to.node)
  const reads = node.inputs.map(input => (isWidened(to, node) ? widen(to, input) : to.read(input)))
  const dw = to.write(0, primitive.weightsLayout, primitive.weightsBytes, geometryOf(node).attrs.groups)
  to.runPrimitive(primitive, reads, [dw, node.outputs.length > 1 ? to.write(1) : undefined])
}

const foldBatchNorm: Lower = (to, node) => {
  const [weight] = node.inputs
  const { shape } = weight.type
  const reads = node.inputs.map(input => to.read(input))
  const [channels] = shape
  to.kernel('foldBatchNorm', {
    ...{ weight: reads[0], gamma: reads[1], beta: reads[2], mean: reads[3], variance: reads[4], bias: reads[5] },
    ...{ folded: to.write(0), foldedBias: to.write(1), channels, perChannel: elements(shape) / channels },
    epsilon: node.attrs['epsilon'] as number,
  })
}

/** All images share the weights that Winograd's algorithm transforms. */
const unlessWinograd: SliceLowering['inSlices'] = (node, { winograd }) => !gainsByWinograd(node, winograd)

/** Kernels of ours add up what slices come to, oneDNN does not. */
const addsUpSlices: SliceLowering['inSlices'] = (node, arithmetic) =>
  unlessWinograd(node, arithmetic) && (hasDirectWeightGradient(node) || hasPairedWeightGradient(node, arithmetic))

/** A linear layer is one product of matrices for the whole batch. */
export const convolutions = {
  foldBatchNorm: inFloat32(foldBatchNorm),
  conv2d: { lower: forward, inSlices: unlessWinograd },
  linear: onWhole(forward),
  conv2dInputGradient: { lower: inputGradient, inSlices: unlessWinograd },
  linearInputGradient: onWhole(inputGradient),
  conv2dWeightGradient: { lower: weightGradient, inSlices: addsUpSlices },
  linearWeightGradient: onWhole(weightGradient),
} as const satisfies Record<string, Lower | SliceLowering>

/**
 * Between two convolutions that compute in float32, within one loop over slices of the batch, a 16-bit value stays float32:
 * it does not leave the cache, where rounding it and reading it back takes longer than twice the bytes. Where others read
 * it too, as the backward pass does, it is kept for long, and its bytes count.
 */
export function chooseWideStorage(to: Lowering): void {
  const readers = consumers(to.graph)
  for (const node of to.graph.nodes) {
    const { slices } = to.view(node)
    const stays = (reader: Node): boolean =>
      isForward(reader) && isWidened(to, reader) && reader.inputs[1].node !== node && to.view(reader).slices === slices
    if (!isForward(node) || !isWidened(to, node) || slices === 0 || to.storage.isOutput(node)) continue
    if (readers.get(node)!.every(stays)) to.storage.storeWide(node)
  }
}

const isForward = ({ op }: Node): boolean => op === 'conv2d' || op === 'linear'
