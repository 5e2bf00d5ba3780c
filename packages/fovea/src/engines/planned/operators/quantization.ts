/** @file Between floats and the integers that stand for them (native/kernels/quantization.h). */
import type { Node, Value } from '../../../graph/graph.js'
import { elements } from '../../../graph/types.js'
import type { FakeQuantizeWeightsAttributes } from '../../../ops/fake-quantize.js'
import type { IntegerConv2dAttributes } from '../../../ops/integer-conv2d.js'
import { type IntegerType, type ScaleAttributes, scaleRuns } from '../../../ops/quantization.js'
import type { QuantizeAttributes } from '../../../ops/quantize.js'
import type { Lowering } from '../lowering.js'
import type { Operand } from '../steps.js'
import { activationOf, type Lower } from './operator.js'

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

const fakeQuantizeWeights: Lower = (to, node) => {
  const [weight] = node.inputs
  const [channels, ...rest] = weight.type.shape
  const { largest } = node.attrs as unknown as FakeQuantizeWeightsAttributes
  const operands = { weight: to.read(weight), y: to.write() }
  to.kernel('fakeQuantizeWeights', { ...operands, channels, perChannel: elements(rest), largest })
}

const extentByImage: Lower = (to, node) => {
  const [x] = node.inputs
  const [images, ...rest] = x.type.shape
  const operands = { x: to.read(x), extents: to.write() }
  to.kernel('extentByImage', { ...operands, images, perImage: elements(rest), type: to.float(x.type) })
}

/**
 * What becomes of the sums of an integer convolution, which a target has computed.
 * @param from the type of the sums: a target may compute whole numbers as floats
 */
export function requantize(to: Lowering, node: Node, sums: Operand, from: 'int32' | 'float32'): void {
  const [, , scale, bias, residual] = node.inputs as readonly [Value, Value, Value, Value, Value?]
  const attrs = node.attrs as unknown as IntegerConv2dAttributes
  const [{ shape, dtype }] = node.outputs
  to.kernel('requantize', {
    ...{ sums, scale: to.read(scale), bias: to.read(bias), residual: residual && to.read(residual), y: to.write() },
    ...{ rows: elements(shape.slice(0, -1)), columns: shape[3], from, to: dtype as 'float32' | 'uint8' },
    ...{ activation: activationOf(node), residualZeroPoint: attrs.residual?.zeroPoint ?? 0 },
    ...{ zeroPoint: attrs.output?.zeroPoint ?? 0, residualScale: attrs.residual?.scale ?? 1 },
    outputScale: attrs.output?.scale ?? 1,
  })
}

export const quantizations = {
  ...{ quantize, dequantize, foldZeroPoint },
  ...{ fakeQuantize, fakeQuantizeGradient, fakeQuantizeWeights, extentByImage },
} as const satisfies Record<string, Lower>
