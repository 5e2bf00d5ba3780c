/**
 * @file Numbers as 8 bits will tell them apart, kept as floats, so that a model can be trained to bear it (Jacob et al. 2018,
 * arXiv 1712.05877, section 3). Gradients go straight through the rounding (Bengio et al. 2013, arXiv 1308.3432).
 */
import { ShapeError } from '../errors.js'
import { elements, formatShape, type TensorType } from '../graph/types.js'
import { broadcastAxes, channelsOf, noAxes, ofInput, ofOutput } from './axes.js'
import { noImages, perImage } from './batch.js'
import { type AxisLink, defineOp } from './define.js'
import { expectFloat, expectOneType, expectRange, expectShape, expectType } from './expect.js'
import { integerWeight, nearestInteger, scaleOfExtent, UINT8_MOST, weightScale } from './quantization.js'

function expectExtent(extent: TensorType): void {
  expectShape('the extent', extent, [2])
  expectType('the extent', extent, 'float32')
}

/**
 * x as the nearest of the 256 numbers between its ends, as `quantize` to uint8 and `dequantize` would give it; what is no
 * number stays none. x, and its extent, [2]: how far it goes below and above 0.
 */
export const fakeQuantize = defineOp<Record<string, never>>({
  name: 'fakeQuantize',
  batch: perImage([0]),
  memory: [[0]],
  axes: ([x], outputs) => broadcastAxes([x], outputs),
  float32Inputs: [1],
  infer: ([x, extent]) => {
    expectFloat('input', x)
    expectExtent(extent)
    return [x]
  },
  gradient: ({ builder, node, inputs: [x, extent], gradients: [dy] }) => [
    dy && builder.emit(fakeQuantizeGradient, [dy, x, extent], {}, `${node.name}.dx`),
    undefined,
  ],
  reference: ([x, extent], [y]) => {
    const { scale, zeroPoint } = scaleOfExtent(extent.data)
    for (let i = 0; i < y.data.length; i++) {
      const q = Math.min(Math.max(nearestInteger(x.data[i], scale) + zeroPoint, 0), UINT8_MOST)
      y.data[i] = (q - zeroPoint) * scale
    }
  },
})

/** dy, x and its extent: what was cut off at an end has no gradient. */
export const fakeQuantizeGradient = defineOp<Record<string, never>>({
  name: 'fakeQuantizeGradient',
  batch: perImage([0, 1]),
  memory: [[0, 1]],
  axes: noAxes,
  float32Inputs: [2],
  infer: ([dy, x, extent]) => {
    expectShape("the output's gradient", dy, x.shape)
    expectOneType({ input: x, "the output's gradient": dy })
    expectExtent(extent)
    return [x]
  },
  reference: ([dy, x, extent], [dx]) => {
    const { scale, zeroPoint } = scaleOfExtent(extent.data)
    for (let i = 0; i < dx.data.length; i++) {
      const q = nearestInteger(x.data[i], scale) + zeroPoint
      dx.data[i] = q >= 0 && q <= UINT8_MOST ? dy.data[i] : 0
    }
  },
})

/** Of x, [batch, …], how far each image goes below and above 0: [batch, 2]. */
export const extentByImage = defineOp<Record<string, never>>({
  name: 'extentByImage',
  batch: perImage([0]),
  memory: [],
  // Where only zeros are left out, the rest goes as far.
  axes: ([x]) =>
    x.shape.map((size, axis): AxisLink => {
      const read = ofInput(0, axis, channelsOf(size))
      return axis === 0 ? [read, ofOutput(0, 0, channelsOf(size))] : [read]
    }),
  infer: ([x]) => {
    expectFloat('input', x)
    if (x.shape.length < 2) throw new ShapeError(`input must be batch×…, got ${formatShape(x.shape)}`)
    return [{ shape: [x.shape[0], 2], dtype: 'float32' }]
  },
  reference: ([x], [y]) => {
    const perImage = x.data.length / (y.data.length / 2)
    for (let i = 0; i < x.data.length; i++) {
      const at = 2 * Math.floor(i / perImage)
      y.data[at] = Math.max(y.data[at], -x.data[i])
      y.data[at + 1] = Math.max(y.data[at + 1], x.data[i])
    }
  },
})

/** `largest`: no integer lies beyond it or its negative. */
export type FakeQuantizeWeightsAttributes = { readonly largest: number }

/**
 * A weight, [output channels, …], as int8 with a scale for each output channel would give it: a channel's largest becomes
 * `largest`, or its negative. Nothing is cut off, so the gradient is that of the weight.
 */
export const fakeQuantizeWeights = defineOp<FakeQuantizeWeightsAttributes>({
  name: 'fakeQuantizeWeights',
  batch: noImages,
  memory: [],
  axes: broadcastAxes,
  float32Inputs: [0],
  infer: ([weight], { largest }) => {
    expectType('weight', weight, 'float32')
    expectRange('the largest integer', largest, 1, 127)
    return [weight]
  },
  gradient: ({ gradients: [dy] }) => [dy],
  reference: ([weight], [y], { largest }) => {
    const perChannel = elements(weight.shape.slice(1))
    for (let first = 0; first < y.data.length; first += perChannel) {
      const channel = weight.data.subarray(first, first + perChannel)
      const scale = weightScale(channel, largest)
      channel.forEach((x, i) => {
        y.data[first + i] = integerWeight(x, scale, largest) * scale
      })
    }
  },
})
