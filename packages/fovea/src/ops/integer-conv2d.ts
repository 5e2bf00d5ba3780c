/**
 * @file Convolution in integers, for inference (Jacob et al. 2018, arXiv 1712.05877, section 2.2): products of uint8 activations and
 * int8 weights add up exactly in int32; then come scale, residual, activation and the way back to uint8, as one operator.
 * passes/integer-arithmetic.ts writes it.
 */
import { ShapeError } from '../errors.js'
import { elements, type TensorType } from '../graph/types.js'
import { type ActivationName, activations, checkActivation } from './activation.js'
import { letters } from './axes.js'
import { noImages, perImage } from './batch.js'
import { type Conv2dAttributes, conv2dShape, convolutionAxes } from './conv2d.js'
import { convolve } from './conv2d-reference.js'
import { defineOp } from './define.js'
import { expectRange, expectShape, expectType } from './expect.js'
import { imagePadding, padTensor } from './pad.js'
import { type ActivationScale, checkScale, requantizedUint8, UINT8_MOST } from './quantization.js'

export type IntegerConv2dAttributes = Conv2dAttributes & {
  readonly activation?: ActivationName
  /** No weight lies beyond it or its negative. */
  readonly largest: number
  /** What padding holds: the integer that stands for 0. Default 0. */
  readonly zeroPoint?: number
  readonly residual?: ActivationScale
  /** Of the result; without it, the result is float32. */
  readonly output?: ActivationScale
}

/**
 * x (uint8), weight (int8), scale (float32) and bias (int32) by output channel, and optionally the residual (uint8):
 * y = activation((x ∗ weight + bias)·scale + residual). From the bias has been taken what x's zero point adds (`foldZeroPoint`).
 */
export const integerConv2d = defineOp<IntegerConv2dAttributes>({
  name: 'integerConv2d',
  batch: perImage([0, 4]),
  memory: [],
  ...convolutionAxes('n..i oi.. o o n..o -> n..o', 'n..g g... g g n..g -> n..g'),
  float32Inputs: [2],
  infer: ([x, weight, scale, bias, residual], attrs) => {
    expectType('input', x, 'uint8')
    expectType('weight', weight, 'int8')
    expectType('scale', scale, 'float32')
    expectType('bias', bias, 'int32')
    expectType('residual', residual, 'uint8')
    const shape = conv2dShape(x.shape, weight.shape, attrs)
    for (const [what, type] of Object.entries({ scale, bias })) expectShape(what, type, [shape[3]])
    if (residual !== undefined) expectShape('residual', residual, shape)
    if ((residual === undefined) !== (attrs.residual === undefined)) {
      throw new ShapeError('a residual and its scale go together')
    }
    checkActivation(attrs.activation)
    expectRange('the largest weight', attrs.largest, 1, 128)
    expectRange('the zero point of the input', attrs.zeroPoint ?? 0, 0, UINT8_MOST)
    if (attrs.residual) checkScale('the residual', attrs.residual)
    if (attrs.output) checkScale('the result', attrs.output)
    return [{ shape, dtype: attrs.output === undefined ? 'float32' : 'uint8' }]
  },
  multiplyAdds: ([, { shape }], [y]) => elements(y.shape) * elements(shape.slice(1)),
  reference: ([x, weight, scale, bias, residual], [y], attrs) => {
    const { output, activation, padding, zeroPoint: value = 0 } = attrs
    const steps = output === undefined ? 1 : Math.fround(1 / output.scale)
    const channels = y.shape[3]
    const sums = new Float64Array(y.data.length)
    const padded = padTensor(x, { ...imagePadding(padding), value })
    convolve(padded, weight, undefined, { ...y, data: sums }, { ...attrs, padding: [0, 0, 0, 0] })
    for (let i = 0; i < sums.length; i++) {
      const c = i % channels
      // Float by float, as engines compute: so ties are the same ones.
      let value = Math.fround(Math.fround(sums[i] + bias.data[c]) * scale.data[c])
      if (residual !== undefined) {
        const { scale, zeroPoint } = attrs.residual!
        value = Math.fround(value + Math.fround((residual.data[i] - zeroPoint) * Math.fround(scale)))
      }
      if (activation !== undefined) value = Math.fround(activations[activation].value(value))
      y.data[i] = output === undefined ? value : requantizedUint8(value * steps, output)
    }
  },
})

/** weight (int8), bias (int32): bias − zeroPoint·Σ weight. As it depends on state alone, an engine computes it once. */
export const foldZeroPoint = defineOp<{ readonly zeroPoint: number }>({
  name: 'foldZeroPoint',
  batch: noImages,
  memory: [],
  axes: letters('oihw o -> o'),
  infer: ([weight, bias], { zeroPoint }): readonly TensorType[] => {
    expectType('weight', weight, 'int8')
    expectType('bias', bias, 'int32')
    expectRange('the zero point', zeroPoint, 0, 255)
    expectShape('bias', bias, weight.shape.slice(0, 1))
    return [bias]
  },
  reference: ([weight, bias], [folded], { zeroPoint }) => {
    const perChannel = weight.data.length / bias.data.length
    folded.data.set(bias.data)
    for (let i = 0; i < weight.data.length; i++) folded.data[Math.floor(i / perChannel)] -= zeroPoint * weight.data[i]
  },
})
