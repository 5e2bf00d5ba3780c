/** @file Cases of what computes in integers, or makes them of what it computes. */
import { float, type InputSpec, type OperatorSpec, type } from './case.js'
import { biases, integers, scales, sevenBits } from './integer-inputs.js'

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
      name: 'residual, 24 channels of 75 pixels',
      inputs: [...operands([3, 5, 5, 8], 24, 3), integers('uint8', 3, 5, 5, 24)],
      attrs: { ...same, activation: 'silu', residual: { scale: 0.02, zeroPoint: 77 }, output },
    },
    {
      name: 'residual, to float32, 9 channels of 75 pixels',
      inputs: [...operands([3, 5, 5, 8], 9, 3), integers('uint8', 3, 5, 5, 9)],
      attrs: { ...same, residual: { scale: 0.02, zeroPoint: 5 } },
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
    {
      name: 'depthwise, padded with the zero point, 19 channels',
      inputs: operands([3, 6, 9, 19], 19, 3, 19),
      attrs: { ...same, groups: 19, zeroPoint: 77, activation: 'relu6', output },
    },
    {
      name: 'depthwise, residual',
      inputs: [...operands([2, 5, 4, 32], 32, 3, 32), integers('uint8', 2, 5, 4, 32)],
      attrs: { ...same, groups: 32, residual: { scale: 0.02, zeroPoint: 77 }, output },
    },
    {
      name: 'depthwise, 7×7, wider than the image',
      inputs: operands([1, 3, 2, 40], 40, 7, 40),
      attrs: { ...window, padding: [3, 3, 3, 3], groups: 40, zeroPoint: 255, output },
    },
    {
      name: 'depthwise, channels in three blocks, stride 2, padded at one end',
      inputs: operands([2, 10, 41, 40], 40, 5, 40),
      attrs: { ...window, stride: [2, 2], padding: [0, 3, 0, 3], groups: 40, zeroPoint: 9, output },
    },
    {
      name: 'depthwise, windows of 3×5',
      inputs: [integers('uint8', 1, 5, 6, 8), integers('int8', 8, 1, 3, 5), scales(8), biases(8)],
      attrs: { ...same, groups: 8, zeroPoint: 3 },
    },
    {
      name: 'padded with the zero point',
      inputs: operands([2, 6, 7, 3], 16, 3),
      attrs: { ...window, stride: [2, 2], padding: [1, 1, 1, 1], zeroPoint: 114, output },
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
      name: 'padding that no uint8 is',
      inputs: [x, weight, scale, bias],
      attrs: { ...same, zeroPoint: -1 },
      message: 'the zero point of the input must be from 0 to 255, got -1',
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
