/** @file Cases of what integers become between layers: sums, products and means. */
import { constant, extremes, float, type OperatorSpec, positive, smooth, type } from './case.js'
import { integers, ties } from './integer-inputs.js'

const output = { scale: 0.037, zeroPoint: 93 } as const

export const quantizedProduct: OperatorSpec = {
  op: 'quantizedProduct',
  differentiable: [],
  samples: [
    { name: 'by channel', inputs: [smooth(3, 5, 6, 19), positive(3, 1, 1, 19)], attrs: output },
    { name: 'of one shape', inputs: [smooth(2, 3, 4, 5), smooth(2, 3, 4, 5)], attrs: output },
    { name: 'by image', inputs: [positive(3, 1, 1, 1), smooth(3, 7, 5, 8)], attrs: output },
    { name: 'ties', inputs: [ties(17), constant(1, 'float32', 1)], attrs: { scale: 0.25, zeroPoint: 128 } },
    { name: 'no number', inputs: [extremes, constant(1, 'float32', 1)], attrs: { scale: 0.25, zeroPoint: 7 } },
  ],
  invalid: [
    {
      name: 'integers',
      inputs: [type('uint8', 4), float(4)],
      attrs: output,
      message: 'the first factor must be float32, got uint8',
    },
    {
      name: 'half precision',
      inputs: [float(4), type('bfloat16', 4)],
      attrs: output,
      message: 'the second factor must be float32, got bfloat16',
    },
    {
      name: 'shapes that do not fit',
      inputs: [float(4), float(3)],
      attrs: output,
      message: '4 and 3 do not broadcast to one shape',
    },
    {
      name: 'a scale of nothing',
      inputs: [float(4), float(4)],
      attrs: { scale: 0, zeroPoint: 0 },
      message: 'the scale of the result must be above 0, got 0',
    },
  ],
}

const [a, b] = [
  { scale: 0.021, zeroPoint: 80 },
  { scale: 0.034, zeroPoint: 131 },
]
const pairs = [
  { name: 'of one shape', inputs: [integers('uint8', 2, 3, 4, 5), integers('uint8', 2, 3, 4, 5)] },
  { name: 'by channel', inputs: [integers('uint8', 3, 5, 6, 19), integers('uint8', 3, 1, 1, 19)] },
  { name: 'by image', inputs: [integers('uint8', 3, 1, 1, 1), integers('uint8', 3, 7, 5, 8)] },
  { name: 'more than a tile', inputs: [integers('uint8', 2, 5, 7, 96), integers('uint8', 2, 1, 1, 96)] },
] as const
const invalidPairs = [
  {
    name: 'floats',
    inputs: [float(4), type('uint8', 4)],
    attrs: { a, b, output },
    message: 'the first input must be uint8, got float32',
  },
  {
    name: 'other integers',
    inputs: [type('uint8', 4), type('int8', 4)],
    attrs: { a, b, output },
    message: 'the second input must be uint8, got int8',
  },
  {
    name: 'shapes that do not fit',
    inputs: [type('uint8', 4), type('uint8', 3)],
    attrs: { a, b, output },
    message: '4 and 3 do not broadcast to one shape',
  },
  {
    name: 'a scale of nothing',
    inputs: [type('uint8', 4), type('uint8', 4)],
    attrs: { a, b: { scale: 0, zeroPoint: 0 }, output },
    message: 'the scale of the second input must be above 0, got 0',
  },
] as const

export const integerAdd: OperatorSpec = {
  op: 'integerAdd',
  differentiable: [],
  samples: [
    ...pairs.map(pair => ({ ...pair, attrs: { a, b, output } })),
    { ...pairs[0], name: 'relu', attrs: { a, b, output, activation: 'relu' } },
    // Half a step each: every second sum lies in the middle of two integers.
    {
      ...pairs[1],
      name: 'ties',
      attrs: { a: { ...a, scale: 0.5 }, b: { ...b, scale: 0.5 }, output: { ...output, scale: 1 } },
    },
    { ...pairs[0], name: 'far beyond', attrs: { a: { ...a, scale: 1e30 }, b, output } },
  ],
  invalid: invalidPairs,
}

export const integerMultiply: OperatorSpec = {
  op: 'integerMultiply',
  differentiable: [],
  samples: [
    ...pairs.map(pair => ({ ...pair, attrs: { a, b, output } })),
    {
      ...pairs[1],
      name: 'ties',
      attrs: { a: { ...a, scale: 0.5 }, b: { ...b, scale: 0.25 }, output: { ...output, scale: 4 } },
    },
  ],
  invalid: invalidPairs,
}

export const integerAveragePool: OperatorSpec = {
  op: 'integerAveragePool',
  differentiable: [],
  samples: [
    {
      name: 'whole images, 100 channels',
      inputs: [integers('uint8', 3, 5, 6, 100)],
      attrs: { kernel: [5, 6], stride: [1, 1], padding: [0, 0, 0, 0], countPadding: false, input: a, output: b },
    },
    {
      name: '3×3, padding counted, 37 channels',
      inputs: [integers('uint8', 2, 7, 8, 37)],
      attrs: { kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1], countPadding: true, input: a, output: b },
    },
    {
      name: 'padding not counted',
      inputs: [integers('uint8', 2, 7, 8, 16)],
      attrs: { kernel: [3, 2], stride: [2, 1], padding: [1, 0, 1, 0], countPadding: false, input: a, output },
    },
    {
      name: 'ties',
      inputs: [integers('uint8', 2, 4, 4, 64)],
      attrs: { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0], countPadding: true, input: a, output: a },
    },
  ],
  invalid: [
    {
      name: 'floats',
      inputs: [float(1, 4, 4, 3)],
      attrs: { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0], countPadding: true, input: a, output: b },
      message: 'input must be uint8, got float32',
    },
    {
      name: 'a zero point that no uint8 is',
      inputs: [type('uint8', 1, 4, 4, 3)],
      attrs: {
        ...{ kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0], countPadding: true, output: b },
        input: { scale: 1, zeroPoint: -1 },
      },
      message: 'the zero point of the input must be from 0 to 255, got -1',
    },
    {
      name: 'a window larger than the image',
      inputs: [type('uint8', 1, 2, 2, 3)],
      attrs: { kernel: [3, 3], stride: [1, 1], padding: [0, 0, 0, 0], countPadding: true, input: a, output: b },
      message: 'the 3×3 window does not fit',
    },
  ],
}
