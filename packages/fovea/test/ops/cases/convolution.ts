/** @file Cases of convolution. Channel counts with and without a tail beyond 8 and 16. */
import { type ActivationName, activations } from '../../../src/ops/activation.js'
import { float, normal, type OperatorSpec, positive, type Sample } from './case.js'

interface Convolution {
  readonly x: readonly [number, number, number, number]
  readonly out: number
  readonly kernel: readonly [number, number]
  readonly stride?: readonly [number, number]
  readonly padding?: readonly [number, number, number, number]
  readonly dilation?: readonly [number, number]
  readonly groups?: number
  readonly bias?: boolean
}

function convolution(name: string, options: Convolution): Sample {
  const { x, out, kernel, groups = 1, stride = [1, 1], padding = [0, 0, 0, 0], dilation = [1, 1], bias } = options
  const inputs = [normal(...x), normal(out, x[3] / groups, ...kernel)]
  return { name, inputs: bias ? [...inputs, normal(out)] : inputs, attrs: { stride, padding, dilation, groups } }
}

const same = [1, 1, 1, 1] as const

const attrs = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 } as const

export const conv2d: OperatorSpec = {
  op: 'conv2d',
  differentiable: [0, 1, 2],
  samples: [
    convolution('3×3, 16 to 32 channels', { x: [2, 8, 8, 16], out: 32, kernel: [3, 3], padding: same }),
    convolution('3×3, 17 to 19 channels', { x: [2, 6, 7, 17], out: 19, kernel: [3, 3], padding: same }),
    convolution('3×3 with bias, 16 to 24 channels, odd size', {
      x: [3, 7, 5, 16],
      out: 24,
      kernel: [3, 3],
      padding: same,
      bias: true,
    }),
    convolution('3×3, 32 to 16 channels, no padding', { x: [1, 9, 6, 32], out: 16, kernel: [3, 3] }),
    convolution('3×3, 16 channels, uneven padding', {
      x: [2, 4, 6, 16],
      out: 16,
      kernel: [3, 3],
      padding: [2, 0, 1, 2],
    }),
    convolution('3×3 with bias, 3 to 5 channels', {
      x: [3, 5, 7, 3],
      out: 5,
      kernel: [3, 3],
      padding: same,
      bias: true,
    }),
    convolution('1×1, 24 to 8 channels', { x: [2, 5, 5, 24], out: 8, kernel: [1, 1] }),
    convolution('1×1 with bias, stride 2', { x: [2, 7, 5, 6], out: 10, kernel: [1, 1], stride: [2, 2], bias: true }),
    convolution('1×1 image, batch 1', { x: [1, 1, 1, 8], out: 16, kernel: [1, 1], bias: true }),
    convolution('1×1 images, stride 2', { x: [5, 1, 1, 20], out: 9, kernel: [1, 1], stride: [2, 2], bias: true }),
    convolution('1×1 images in padding', { x: [2, 1, 1, 3], out: 4, kernel: [1, 1], stride: [2, 2], padding: same }),
    convolution('1×1 images in padding, grouped', {
      x: [3, 1, 1, 8],
      out: 4,
      kernel: [1, 1],
      groups: 2,
      padding: same,
    }),
    convolution('1×1 image under a 3×3 window', { x: [1, 1, 1, 4], out: 3, kernel: [3, 3], padding: same }),
    convolution('no padding, odd size', { x: [1, 7, 9, 4], out: 6, kernel: [3, 3] }),
    convolution('stride 2, odd size', { x: [2, 9, 7, 8], out: 16, kernel: [3, 3], stride: [2, 2], padding: same }),
    convolution('stride 3, 5×5', { x: [1, 11, 10, 3], out: 7, kernel: [5, 5], stride: [3, 3], padding: [2, 2, 2, 2] }),
    convolution('stride 2×1, window 1×3', {
      x: [2, 6, 5, 4],
      out: 4,
      kernel: [1, 3],
      stride: [2, 1],
      padding: [0, 0, 1, 1],
    }),
    convolution("TensorFlow's SAME at stride 2", {
      x: [2, 8, 8, 3],
      out: 8,
      kernel: [3, 3],
      stride: [2, 2],
      padding: [0, 1, 0, 1],
    }),
    convolution('asymmetric padding', { x: [1, 5, 6, 3], out: 4, kernel: [3, 4], padding: [2, 0, 1, 3], bias: true }),
    convolution('dilation 2', { x: [1, 9, 8, 4], out: 5, kernel: [3, 3], dilation: [2, 2], padding: [2, 2, 2, 2] }),
    convolution('dilation 3×1, stride 2', {
      x: [1, 10, 7, 3],
      out: 4,
      kernel: [3, 2],
      dilation: [3, 1],
      stride: [2, 2],
      padding: same,
    }),
    convolution('2 groups', { x: [2, 5, 5, 8], out: 12, kernel: [3, 3], groups: 2, padding: same }),
    convolution('4 groups with bias', {
      x: [1, 5, 4, 12],
      out: 8,
      kernel: [3, 3],
      groups: 4,
      padding: same,
      bias: true,
    }),
    convolution('depthwise, padding as wide as the window', {
      x: [2, 4, 3, 18],
      out: 18,
      kernel: [3, 3],
      groups: 18,
      padding: [3, 3, 3, 4],
    }),
    convolution('depthwise 5×5 over a narrower image, stride 2', {
      x: [1, 4, 3, 16],
      out: 16,
      kernel: [5, 5],
      groups: 16,
      stride: [2, 2],
      padding: [2, 2, 2, 2],
    }),
    convolution('depthwise, stride larger than the window', {
      x: [2, 11, 9, 17],
      out: 17,
      kernel: [3, 3],
      groups: 17,
      stride: [4, 5],
      padding: [1, 0, 1, 0],
    }),
    convolution('depthwise 7×7, stride 2, 19 channels', {
      x: [1, 9, 10, 19],
      out: 19,
      kernel: [7, 7],
      groups: 19,
      stride: [2, 2],
      padding: [3, 3, 3, 3],
    }),
    convolution('depthwise, 16 channels', { x: [2, 7, 7, 16], out: 16, kernel: [3, 3], groups: 16, padding: same }),
    convolution('depthwise, stride 2, 21 channels', {
      x: [2, 9, 8, 21],
      out: 21,
      kernel: [3, 3],
      groups: 21,
      stride: [2, 2],
      padding: same,
      bias: true,
    }),
    convolution('depthwise 5×5, asymmetric', {
      x: [1, 8, 8, 8],
      out: 8,
      kernel: [5, 5],
      groups: 8,
      stride: [2, 2],
      padding: [1, 2, 1, 2],
    }),
    convolution('depthwise 5×5, 20 channels', {
      x: [2, 7, 9, 20],
      out: 20,
      kernel: [5, 5],
      groups: 20,
      padding: [2, 2, 2, 2],
    }),
    convolution('depthwise 5×5 at stride 2, asymmetric padding', {
      x: [1, 9, 8, 32],
      out: 32,
      kernel: [5, 5],
      stride: [2, 2],
      groups: 32,
      padding: [1, 2, 1, 2],
    }),
    convolution('depthwise 7×7', { x: [1, 8, 5, 16], out: 16, kernel: [7, 7], groups: 16, padding: [3, 3, 3, 3] }),
    convolution('depthwise with multiplier 2', { x: [1, 6, 5, 6], out: 12, kernel: [3, 3], groups: 6, padding: same }),
    convolution('depthwise 5×5 with bias, stride 2, 21 channels', {
      x: [3, 9, 7, 21],
      out: 21,
      kernel: [5, 5],
      stride: [2, 2],
      padding: [2, 2, 2, 2],
      groups: 21,
      bias: true,
    }),
    convolution('depthwise on a 1×1 image', { x: [2, 1, 1, 9], out: 9, kernel: [3, 3], groups: 9, padding: same }),
    convolution("a ResNet's stem", {
      x: [2, 16, 16, 3],
      out: 16,
      kernel: [7, 7],
      stride: [2, 2],
      padding: [3, 3, 3, 3],
    }),
  ],
  invalid: [
    {
      name: 'channels differ',
      inputs: [float(1, 8, 8, 32), float(128, 64, 3, 3)],
      attrs,
      message: 'input has 32 channels, weight expects 64 (out 128, in 64, 3×3)',
    },
    {
      name: 'channels differ in groups',
      inputs: [float(1, 8, 8, 32), float(16, 4, 3, 3)],
      attrs: { ...attrs, groups: 4 },
      message: 'input has 32 channels, weight expects 16 (out 16, in 16, 3×3 in 4 groups)',
    },
    {
      name: 'outputs do not divide',
      inputs: [float(1, 8, 8, 4), float(5, 2, 3, 3)],
      attrs: { ...attrs, groups: 2 },
      message: '5 output channels do not divide into 2 groups',
    },
    {
      name: 'an image without batch',
      inputs: [float(8, 8, 3), float(4, 3, 3, 3)],
      attrs,
      message: 'input must be batch×height×width×channels, got 8×8×3',
    },
    {
      name: 'a matrix as weight',
      inputs: [float(1, 8, 8, 3), float(4, 3)],
      attrs,
      message: 'weight must be out×in/groups×kh×kw, got 4×3',
    },
    {
      name: 'too large a window',
      inputs: [float(1, 4, 4, 3), float(4, 3, 5, 5)],
      attrs,
      message: 'the 5×5 window does not fit into the input 1×4×4×3',
    },
    {
      name: 'bias of another size',
      inputs: [float(1, 4, 4, 3), float(4, 3, 1, 1), float(3)],
      attrs,
      message: 'bias is 3, expected 4',
    },
    {
      name: 'stride 0',
      inputs: [float(1, 4, 4, 3), float(4, 3, 1, 1)],
      attrs: { ...attrs, stride: [0, 1] },
      message: 'stride must be 2 whole numbers of at least 1, got [0,1]',
    },
  ],
}

/** y = activation(convolution + bias + residual), as inference has it; not differentiable. */
const fused = (
  name: string,
  options: Convolution,
  activation?: ActivationName,
  residual?: readonly number[],
): Sample => {
  const sample = convolution(name, { ...options, bias: true })
  const attrs = activation === undefined ? sample.attrs : { ...sample.attrs, activation }
  return { name, inputs: [...sample.inputs, ...(residual ? [normal(...residual)] : [])], attrs: attrs ?? {} }
}

const block: Convolution = { x: [2, 6, 5, 16], out: 16, kernel: [3, 3], padding: same }

export const fusedConv2d: OperatorSpec = {
  op: 'conv2d',
  differentiable: [],
  samples: [
    ...(Object.keys(activations) as ActivationName[]).map(name => fused(`fused with ${name}`, block, name)),
    fused('fused with a residual', block, undefined, [2, 6, 5, 16]),
    fused('fused with a residual and relu, odd channels', { ...block, x: [1, 3, 3, 5], out: 7 }, 'relu', [1, 3, 3, 7]),
  ],
  invalid: [
    {
      name: 'residual of another size',
      inputs: [float(1, 4, 4, 3), float(4, 3, 1, 1), float(4), float(1, 4, 4, 3)],
      attrs,
      message: 'residual is 1×4×4×3, expected 1×4×4×4',
    },
  ],
}

export const foldedWeights: OperatorSpec = {
  op: 'foldedWeights',
  differentiable: [],
  samples: [
    {
      name: 'a convolution',
      inputs: [normal(6, 3, 3, 3), positive(6), normal(6), normal(6), positive(6)],
      attrs: { epsilon: 1e-3 },
    },
    {
      name: 'a depthwise convolution with bias',
      inputs: [normal(17, 1, 5, 5), positive(17), normal(17), normal(17), positive(17), normal(17)],
      attrs: { epsilon: 1e-5 },
    },
  ],
  invalid: [
    {
      name: 'values for other channels',
      inputs: [float(6, 3, 3, 3), float(6), float(6), float(3), float(6)],
      attrs: { epsilon: 1e-3 },
      message: 'a value per output channel is 3, expected 6',
    },
  ],
}
