/** @file Cases of what goes between floats and integers by a scale. */
import { randomAt } from '../../../src/random.js'
import { constant, extremes, float, type InputSpec, type OperatorSpec, positive, smooth, type } from './case.js'

const integers = (dtype: 'int8' | 'uint8', ...shape: number[]): InputSpec => ({
  shape,
  dtype,
  value: (i, key) => Math.floor(256 * randomAt(key, i)) - (dtype === 'int8' ? 128 : 0),
})
/** int8 from −63 to 63. */
const sevenBits = (...shape: number[]): InputSpec => ({
  shape,
  dtype: 'int8',
  value: (i, key) => Math.floor(127 * randomAt(key, i)) - 63,
})
/** Multiples of an eighth: with a scale of a quarter every second one lies in the middle of two integers. */
const ties = (...shape: number[]): InputSpec => ({ shape, dtype: 'float32', value: i => (i - 8) / 8 })
const quarter = constant(0.25)
/** Small ones, so that no sum is near the end of its type. */
const biases = (...shape: number[]): InputSpec => ({
  shape,
  dtype: 'int32',
  value: (i, key) => Math.floor(4000 * randomAt(key, i)) - 2000,
})
/** Some hundredths of a thousandth: results of some units. */
const scales = (channels: number): InputSpec => ({
  shape: [channels],
  dtype: 'float32',
  value: (i, key) => 1e-4 * (0.5 + randomAt(key, i)),
})

export const quantize: OperatorSpec = {
  op: 'quantize',
  differentiable: [],
  samples: [
    { name: 'symmetric', inputs: [smooth(2, 3, 4, 5), quarter], attrs: { dtype: 'int8', axis: null } },
    {
      name: 'with a zero point',
      inputs: [smooth(2, 3, 4, 5), constant(0.02), constant(100, 'uint8')],
      attrs: { dtype: 'uint8', axis: null },
    },
    { name: 'ties, to the even one', inputs: [ties(17), quarter], attrs: { dtype: 'int8', axis: null } },
    {
      name: 'what is no number, and what is beyond all',
      inputs: [extremes, quarter, constant(7, 'int8')],
      attrs: { dtype: 'int8', axis: null },
    },
    { name: 'by output channel', inputs: [smooth(5, 3, 2, 2), positive(5)], attrs: { dtype: 'int8', axis: 0 } },
    {
      name: 'by the last axis',
      inputs: [smooth(2, 3, 3, 19), positive(19), integers('uint8', 19)],
      attrs: { dtype: 'uint8', axis: 3 },
    },
  ],
  invalid: [
    {
      name: 'to int32',
      inputs: [float(4), float()],
      attrs: { dtype: 'int32', axis: null },
      message: 'floats are quantized to int8 or uint8, not int32',
    },
    {
      name: 'a scale for an axis that there is not',
      inputs: [float(4, 2), float(4)],
      attrs: { dtype: 'int8', axis: 2 },
      message: 'axis must be from 0 to 1, got 2',
    },
    {
      name: 'scales of another axis',
      inputs: [float(4, 2), float(4)],
      attrs: { dtype: 'int8', axis: 1 },
      message: 'the scale is 4, expected 2',
    },
    {
      name: 'a zero point of another type',
      inputs: [float(4), float(), type('int8')],
      attrs: { dtype: 'uint8', axis: null },
      message: 'the zero point must be uint8, got int8',
    },
    {
      name: 'integers',
      inputs: [type('int8', 4), float()],
      attrs: { dtype: 'int8', axis: null },
      message: 'input must be of a float type, got int8',
    },
  ],
}

export const dequantize: OperatorSpec = {
  op: 'dequantize',
  differentiable: [],
  samples: [
    { name: 'symmetric', inputs: [integers('int8', 2, 3, 4, 5), quarter], attrs: { axis: null } },
    {
      name: 'with a zero point',
      inputs: [integers('uint8', 2, 3, 4, 5), quarter, constant(100, 'uint8')],
      attrs: { axis: null },
    },
    { name: 'by output channel', inputs: [integers('int8', 5, 3, 2, 2), positive(5)], attrs: { axis: 0 } },
    { name: 'sums of products', inputs: [biases(6), scales(6)], attrs: { axis: 0 } },
    { name: 'limited weights', inputs: [sevenBits(5, 3), positive(5)], attrs: { axis: 0, largest: 63 } },
    {
      name: 'by the last axis',
      inputs: [integers('uint8', 2, 3, 3, 19), positive(19), integers('uint8', 19)],
      attrs: { axis: 3 },
    },
  ],
  invalid: [
    {
      name: 'floats',
      inputs: [float(4), float()],
      attrs: { axis: null },
      message: 'int8, uint8 or int32 stand for floats, not float32',
    },
    {
      name: 'a scale of another type',
      inputs: [type('int8', 4), type('int32')],
      attrs: { axis: null },
      message: 'the scale must be float32, got int32',
    },
  ],
}

const window = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1, largest: 128 } as const
const same = { ...window, padding: [1, 1, 1, 1] } as const
const output = { scale: 0.037, zeroPoint: 93 } as const

/** x, weight, scale and bias: x of [batch, height, width, channels]. */
const operands = (x: readonly number[], out: number, kernel: number, groups = 1): InputSpec[] => [
  integers('uint8', ...x),
  integers('int8', out, x[3] / groups, kernel, kernel),
  scales(out),
  biases(out),
]
const [x, weight, scale, bias] = [type('uint8', 1, 4, 4, 3), type('int8', 2, 3, 3, 3), float(2), type('int32', 2)]

export const integerConv2d: OperatorSpec = {
  op: 'integerConv2d',
  differentiable: [],
  samples: [
    { name: 'to float32', inputs: operands([2, 5, 6, 16], 32, 3), attrs: same },
    { name: 'to uint8', inputs: operands([2, 5, 6, 16], 32, 3), attrs: { ...same, output } },
    {
      name: 'weights of 7 bits, relu, 17 to 19 channels',
      inputs: [integers('uint8', 2, 6, 7, 17), sevenBits(19, 17, 3, 3), scales(19), biases(19)],
      attrs: { ...same, largest: 63, activation: 'relu', output: { scale: 0.05, zeroPoint: 0 } },
    },
    {
      name: 'residual and relu',
      inputs: [...operands([2, 4, 4, 8], 8, 3), integers('uint8', 2, 4, 4, 8)],
      attrs: { ...same, activation: 'relu', residual: { scale: 0.02, zeroPoint: 77 }, output },
    },
    {
      name: 'residual, to float32, stride 2',
      inputs: [...operands([1, 7, 5, 6], 10, 1), integers('uint8', 1, 4, 3, 10)],
      attrs: { ...window, stride: [2, 2], residual: { scale: 0.02, zeroPoint: 0 } },
    },
    {
      name: 'depthwise, silu',
      inputs: operands([2, 7, 7, 24], 24, 5, 24),
      attrs: { ...window, stride: [2, 2], padding: [2, 2, 2, 2], groups: 24, activation: 'silu' },
    },
    { name: 'two groups, 1×1', inputs: operands([1, 3, 3, 8], 6, 1, 2), attrs: { ...window, groups: 2, output } },
    { name: '3 channels, dilation 2', inputs: operands([3, 9, 8, 3], 5, 3), attrs: { ...window, dilation: [2, 2] } },
    { name: '1×1 image', inputs: operands([1, 1, 1, 40], 10, 1), attrs: window },
  ],
  invalid: [
    {
      name: 'floats',
      inputs: [float(1, 4, 4, 3), weight, scale, bias],
      attrs: window,
      message: 'input must be uint8, got float32',
    },
    {
      name: 'float weights',
      inputs: [x, float(2, 3, 3, 3), scale, bias],
      attrs: window,
      message: 'weight must be int8',
    },
    { name: 'too few scales', inputs: [x, weight, float(1), bias], attrs: window, message: 'scale is 1, expected 2' },
    {
      name: 'a residual without its scale',
      inputs: [x, weight, scale, bias, type('uint8', 1, 2, 2, 2)],
      attrs: window,
      message: 'a residual and its scale go together',
    },
    {
      name: 'a scale of nothing',
      inputs: [x, weight, scale, bias],
      attrs: { ...window, output: { scale: 0, zeroPoint: 0 } },
      message: 'the scale of the result must be above 0, got 0',
    },
    {
      name: 'a zero point that no uint8 is',
      inputs: [x, weight, scale, bias],
      attrs: { ...window, output: { scale: 1, zeroPoint: 256 } },
      message: 'the zero point of the result must be from 0 to 255, got 256',
    },
    {
      name: 'a window larger than the image',
      inputs: [type('uint8', 1, 2, 2, 3), weight, scale, bias],
      attrs: window,
      message: 'the 3×3 window does not fit',
    },
  ],
}

export const foldZeroPoint: OperatorSpec = {
  op: 'foldZeroPoint',
  differentiable: [],
  samples: [
    { name: '3×3', inputs: [integers('int8', 5, 3, 3, 3), biases(5)], attrs: { zeroPoint: 77 } },
    { name: 'of a matrix as 1×1', inputs: [integers('int8', 4, 19, 1, 1), biases(4)], attrs: { zeroPoint: 255 } },
  ],
  invalid: [
    {
      name: 'float weights',
      inputs: [float(2, 3, 3, 3), bias],
      attrs: { zeroPoint: 1 },
      message: 'weight must be int8',
    },
    {
      name: 'too many biases',
      inputs: [weight, type('int32', 3)],
      attrs: { zeroPoint: 1 },
      message: 'bias is 3, expected 2',
    },
    {
      name: 'a zero point that no uint8 is',
      inputs: [weight, bias],
      attrs: { zeroPoint: -1 },
      message: 'the zero point must be from 0 to 255, got -1',
    },
  ],
}

/** What moves and compares numbers takes quantized ones too. */
export const bytes: readonly OperatorSpec[] = [
  {
    op: 'maxPool',
    differentiable: [],
    samples: [
      {
        name: 'bytes',
        inputs: [integers('uint8', 2, 9, 8, 21)],
        attrs: { kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] },
      },
    ],
    invalid: [],
  },
  {
    op: 'pad',
    differentiable: [],
    samples: [
      {
        name: 'bytes',
        inputs: [integers('uint8', 2, 3, 5, 19)],
        attrs: { before: [0, 1, 2, 0], after: [0, 1, 0, 0], value: 117 },
      },
    ],
    invalid: [],
  },
  {
    op: 'slice',
    differentiable: [],
    samples: [
      {
        name: 'bytes',
        inputs: [integers('uint8', 2, 6, 5, 19)],
        attrs: { start: [0, 0, 0, 0], stop: [-1, -1, -1, -1], step: [1, 2, 2, 1] },
      },
    ],
    invalid: [],
  },
]
