/** @file Between floats and the integers that stand for them (native/kernels/quantization.h). */
import type { Node, Value } from '../../../graph/graph.js'
import { elements } from '../../../graph/types.js'
import type { FakeQuantizeWeightsAttributes } from '../../../ops/fake-quantize.js'
import type { IntegerConv2dAttributes } from '../../../ops/integer-conv2d.js'
import { imagePadding, paddedShape } from '../../../ops/pad.js'
import { type IntegerType, type ScaleAttributes, scaleRuns } from '../../../ops/quantization.js'
import type { QuantizeAttributes } from '../../../ops/quantize.js'
import { constants } from '../kernels/table.js'
import type { Lowering } from '../lowering.js'
import type { Operand } from '../steps.js'
import { padInto } from './movement.js'
import { activationOf, imagesOf, type Lower } from './operator.js'

/** What both kernels take: the input and its scales, and how many elements in a row share one. */
function scaled(to: Lowering, node: Node) {
  const [x, scale, zeroPoint] = node.inputs as readonly [Value, Value, Value?]
  const runs = scaleRuns(x.type, node.attrs as unknown as ScaleAttributes)
  const operands = { x: to.read(x), scale: to.read(scale), zeroPoint: zeroPoint && to.read(zeroPoint) }
  return { ...operands, y: to.write(), ...runs }
}

const quantize: Lower = (to, node) => {
  const { dtype } = node.attrs as unknown as QuantizeAttributes
  to.kernel('quantize', { ...scaled(to, node), from: to.float(node.inputs[0].type), to: dtype })
}

const dequantize: Lower = (to, node) => {
  const { dtype } = node.inputs[0].type
  to.kernel('dequantize', { ...scaled(to, node), from: dtype as IntegerType })
}

const foldZeroPoint: Lower = (to, node) => {
  const [weight, bias] = node.inputs
  const [channels, ...rest] = weight.type.shape
  const operands = { weight: to.read(weight), bias: to.read(bias), folded: to.write() }
  const { zeroPoint } = node.attrs as { readonly zeroPoint: number }
  to.kernel('foldZeroPoint', { ...operands, channels, perChannel: elements(rest), zeroPoint })
}

const fakeQuantize: Lower = (to, node) => {
  const [x, extent] = node.inputs
  const operands = { x: to.read(x), extent: to.read(extent), y: to.write() }
  to.kernel('fakeQuantize', { ...operands, elements: elements(x.type.shape), type: to.float(x.type) })
}

const fakeQuantizeGradient: Lower = (to, node) => {
  const [dy, x, extent] = node.inputs
  const operands = { dy: to.read(dy), x: to.read(x), extent: to.read(extent), dx: to.write() }
  to.kernel('fakeQuantizeGradient', { ...operands, elements: elements(x.type.shape), type: to.float(x.type) })
}

/** A weight that lies in blocks of output channels is rounded as it lies: a reorder would take longer than the rounding. */
const fakeQuantizeWeights: Lower = (to, node) => {
  const [weight] = node.inputs
  const [channels, ...rest] = weight.type.shape
  const { largest } = node.attrs as unknown as FakeQuantizeWeightsAttributes
  const { layout, bytes, groups } = to.storage.layoutOf(weight)
  const block = layout === 'dense' ? undefined : to.target.layouts.outputBlock(layout)
  const operands = block
    ? { weight: to.read(weight, layout, groups), y: to.write(0, layout, bytes, groups), block }
    : { weight: to.read(weight), y: to.write(), block: 1 }
  to.kernel('fakeQuantizeWeights', { ...operands, channels, perChannel: elements(rest), largest })
}

const extentByImage: Lower = (to, node) => {
  const [x] = node.inputs
  const [images, ...rest] = x.type.shape
  const operands = { x: to.read(x), extents: to.write() }
  to.kernel('extentByImage', { ...operands, images, perImage: elements(rest), type: to.float(x.type) })
}

/** What becomes of the sums of an integer convolution. */
export function requantized(to: Lowering, node: Node) {
  const [, , scale, bias, residual] = node.inputs as readonly [Value, Value, Value, Value, Value?]
  const { residual: added, output } = node.attrs as unknown as IntegerConv2dAttributes
  return {
    ...{ scale: to.read(scale), bias: to.read(bias), residual: residual && to.read(residual), y: to.write() },
    ...{ to: node.outputs[0].dtype as 'float32' | 'uint8', activation: activationOf(node) },
    ...{ residualZeroPoint: added?.zeroPoint ?? 0, residualScale: added?.scale ?? 1 },
    ...{ zeroPoint: output?.zeroPoint ?? 0, outputScale: output?.scale ?? 1 },
  }
}

/**
 * Finishes an integer convolution whose sums a target has computed.
 * @param from the type of the sums: a target may compute whole numbers as floats
 */
export function requantize(to: Lowering, node: Node, sums: Operand, from: 'int32' | 'float32'): void {
  const [{ shape }] = node.outputs
  const rows = { rows: elements(shape.slice(0, -1)), columns: shape[3] }
  to.kernel('requantize', { sums, from, ...rows, ...requantized(to, node) })
}

/** The input of an integer convolution, with what a target does not pad that adds zeros alone. */
export function readPadded(to: Lowering, { inputs: [x], attrs }: Node): Operand {
  const { padding, zeroPoint } = attrs as unknown as IntegerConv2dAttributes
  if (zeroPoint === undefined) return to.read(x)
  const around = imagePadding(padding)
  const wide = to.temporary(elements(paddedShape(x.type.shape, around)))
  padInto(to, x, wide, { ...around, value: zeroPoint })
  return wide
}

/** Windows that `integerDepthwise` has. */
const depthwiseKernels = [3, 5, 7]
/** What a block of channels of the rows under a window may take, in bytes: it should stay in the first-level cache. */
const DEPTHWISE_BYTES = 24 << 10

/** Whether a kernel of ours computes this integer convolution: square windows, one filter a channel. */
export function hasIntegerDepthwise({ inputs: [x, weight], attrs }: Node): boolean {
  const { groups, dilation } = attrs as unknown as IntegerConv2dAttributes
  const [channels, inPerGroup, height, width] = weight.type.shape
  const depthwise = groups === channels && inPerGroup === 1 && x.type.shape[3] === channels
  return depthwise && height === width && depthwiseKernels.includes(height) && dilation.every(step => step === 1)
}

/** Such a convolution in one step, padding and all that follows: products of a few bytes are not worth passes of their own. */
export function integerDepthwise(to: Lowering, node: Node): void {
  const [x, weight] = node.inputs
  const { stride, padding, zeroPoint = 0 } = node.attrs as unknown as IntegerConv2dAttributes
  const [channels, , kernel] = weight.type.shape
  const images = imagesOf(x.type.shape, node.outputs[0].shape, stride, padding)
  const lanes = constants.tileLanes
  const padded = (images.outWidth - 1) * images.strideX + kernel
  const fitting = Math.floor(DEPTHWISE_BYTES / (4 * lanes * (kernel + 1) * padded))
  const block = lanes * Math.min(Math.max(fitting, 1), Math.ceil(channels / lanes))
  to.kernel('integerDepthwise', {
    ...{ x: to.read(x), weight: to.read(weight), ...requantized(to, node) },
    ...{ ...images, kernel, block, padding: zeroPoint },
  })
}

export const quantizations = {
  ...{ quantize, dequantize, foldZeroPoint },
  ...{ fakeQuantize, fakeQuantizeGradient, fakeQuantizeWeights, extentByImage },
} as const satisfies Record<string, Lower>
