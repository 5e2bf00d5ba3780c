/**
 * @file Two-dimensional convolution (cross-correlation, as all deep-learning frameworks mean it): NHWC activations,
 * weights [out, in/groups, kh, kw]. Its two gradients are operators of their own, since engines run them as such.
 */
import { InvalidArgumentError, ShapeError } from '../errors.js'
import { elements, formatShape, type Shape, type TensorType } from '../graph/types.js'
import { type ActivationName, activations, checkActivation } from './activation.js'
import { letters, noAxes } from './axes.js'
import { perImage } from './batch.js'
import { convolve, convolveBack, correlate } from './conv2d-reference.js'
import { defineOp, type KeptIndices } from './define.js'
import { expectFloat, expectIntegers, expectOneType, expectShape, expectType } from './expect.js'

export type Conv2dAttributes = {
  readonly stride: readonly [number, number]
  /** Zeros added before and after: [top, bottom, left, right]; asymmetric for TensorFlow's SAME. */
  readonly padding: readonly [number, number, number, number]
  readonly dilation: readonly [number, number]
  readonly groups: number
}

/** Output size of a window of `kernel` elements, `dilation` apart, moved by `stride` over a padded axis. */
export const windowedSize = (size: number, kernel: number, stride: number, padding: number, dilation = 1): number =>
  Math.floor((size + padding - dilation * (kernel - 1) - 1) / stride) + 1

/** [batch, height, width, out] of a convolution; throws ShapeError where the shapes do not fit. */
export function conv2dShape(x: Shape, weight: Shape, attrs: Conv2dAttributes): Shape {
  const { stride, padding, dilation, groups } = attrs
  expectIntegers('stride', stride, 2, 1)
  expectIntegers('padding', padding, 4, 0)
  expectIntegers('dilation', dilation, 2, 1)
  expectIntegers('groups', [groups], 1, 1)
  if (x.length !== 4) throw new ShapeError(`input must be batch×height×width×channels, got ${formatShape(x)}`)
  if (weight.length !== 4) throw new ShapeError(`weight must be out×in/groups×kh×kw, got ${formatShape(weight)}`)
  const [n, h, w, channels] = x
  const [out, inPerGroup, kh, kw] = weight
  if (channels !== inPerGroup * groups) {
    const grouped = groups > 1 ? ` in ${groups} groups` : ''
    throw new ShapeError(
      `input has ${channels} channels, weight expects ${inPerGroup * groups} (out ${out}, in ${inPerGroup * groups}, ${kh}×${kw}${grouped})`,
    )
  }
  if (out % groups !== 0) throw new ShapeError(`${out} output channels do not divide into ${groups} groups`)
  const oh = windowedSize(h, kh, stride[0], padding[0] + padding[1], dilation[0])
  const ow = windowedSize(w, kw, stride[1], padding[2] + padding[3], dilation[1])
  if (oh < 1 || ow < 1) throw new ShapeError(`the ${kh}×${kw} window does not fit into the input ${formatShape(x)}`)
  return [n, oh, ow, out]
}

/**
 * What a convolution says of its axes.
 * @param whole by letters, of one whose outputs read all inputs
 * @param grouped of one in groups: a letter `g` for each
 */
export const convolutionAxes = (whole: string, grouped: string) => ({
  axes: (inputs: readonly TensorType[], outputs: readonly TensorType[], { groups }: Conv2dAttributes) =>
    (groups === 1 ? letters(whole) : letters(grouped, { g: groups }))(inputs, outputs),
  // As many channels for each group as before.
  resize: <A extends Conv2dAttributes>(attrs: A, { inputs: [x, weight] }: KeptIndices): A => ({
    ...attrs,
    groups: x[3].length / weight[1].length,
  }),
})

/** For inference (passes/fold-batch-norm.ts): y = activation(convolution + bias + residual). */
export type FusedConv2dAttributes = Conv2dAttributes & { readonly activation?: ActivationName }

/** x, weight, and optionally the bias, and then the residual. */
export const conv2d = defineOp<FusedConv2dAttributes>({
  name: 'conv2d',
  batch: perImage([0, 3]),
  memory: [[3]],
  ...convolutionAxes('n..i oi.. o n..o -> n..o', 'n..g g... g n..g -> n..g'),
  float32Inputs: [2], // a bias joins the float32 accumulator
  infer: ([x, weight, bias, residual], attrs) => {
    expectFloat('input', x)
    expectOneType({ input: x, weight, residual })
    expectType('bias', bias, 'float32')
    const shape = conv2dShape(x.shape, weight.shape, attrs)
    if (bias !== undefined) expectShape('bias', bias, [shape[3]])
    if (residual !== undefined) expectShape('residual', residual, shape)
    checkActivation(attrs.activation)
    return [{ shape, dtype: x.dtype }]
  },
  multiplyAdds: ([, weight], [y]) => elements(y.shape) * weight.shape[1] * weight.shape[2] * weight.shape[3],
  gradient: ({ builder, node, attrs, inputs: [x, weight, bias, residual], gradients: [dy] }) => {
    if (dy === undefined) return []
    if (residual !== undefined || attrs.activation !== undefined) {
      throw new InvalidArgumentError(
        `conv2d '${node.name}' is fused for inference: differentiate the graph before that`,
      )
    }
    const dx = builder.emit(conv2dInputGradient, [dy, weight], { ...attrs, shape: x.type.shape }, `${node.name}.dx`)
    const dw = builder.emitAll(
      conv2dWeightGradient,
      [x, dy],
      { ...attrs, shape: weight.type.shape, bias: bias !== undefined },
      `${node.name}.dw`,
    )
    return [dx, ...dw]
  },
  reference: ([x, weight, bias, residual], [y], attrs) => {
    const added = residual?.data.slice() // its memory may be y's
    convolve(x, weight, bias, y, attrs)
    if (added !== undefined) for (let i = 0; i < y.data.length; i++) y.data[i] += added[i]
    if (attrs.activation !== undefined) y.data.set(y.data.map(activations[attrs.activation].value))
  },
})

/** The loss's gradient by the input, from dy and weight: each output pixel is scattered back to the pixels it was made of. */
export const conv2dInputGradient = defineOp<Conv2dAttributes & { readonly shape: Shape }>({
  name: 'conv2dInputGradient',
  batch: perImage([0]),
  memory: [],
  axes: noAxes,
  infer: ([dy, weight], attrs) => {
    expectOneType({ "the output's gradient": dy, weight })
    expectShape("the output's gradient", dy, conv2dShape(attrs.shape, weight.shape, attrs))
    return [{ shape: attrs.shape, dtype: dy.dtype }]
  },
  multiplyAdds: ([dy, weight]) => elements(dy.shape) * weight.shape[1] * weight.shape[2] * weight.shape[3],
  reference: ([dy, weight], [dx], attrs) => convolveBack(dy, weight, dx, attrs),
})

/** The loss's gradient by weight and, if `bias`, by bias, from x and dy. */
export const conv2dWeightGradient = defineOp<Conv2dAttributes & { readonly shape: Shape; readonly bias: boolean }>({
  name: 'conv2dWeightGradient',
  batch: perImage([0, 1], []),
  memory: [],
  axes: noAxes,
  infer: ([x, dy], attrs) => {
    expectOneType({ input: x, "the output's gradient": dy })
    expectShape("the output's gradient", dy, conv2dShape(x.shape, attrs.shape, attrs))
    const weight: TensorType = { shape: attrs.shape, dtype: 'float32' }
    return attrs.bias ? [weight, { shape: [attrs.shape[0]], dtype: 'float32' }] : [weight]
  },
  multiplyAdds: ([, dy], _, { shape }) => elements(dy.shape) * shape[1] * shape[2] * shape[3],
  reference: ([x, dy], [dw, db], attrs) => {
    correlate(x, dy, dw, attrs)
    if (db === undefined) return
    const sums = new Float64Array(db.data.length)
    for (let i = 0; i < dy.data.length; i++) sums[i % sums.length] += dy.data[i]
    db.data.set(sums)
  },
})
