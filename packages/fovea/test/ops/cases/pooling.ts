/** @file Cases of pooling. */
import { float, normal, type OperatorSpec, type Sample, tied } from './case.js'

interface Pooling {
  readonly kernel: readonly [number, number]
  readonly stride: readonly [number, number]
  readonly padding: readonly [number, number, number, number]
}

const rows: readonly (Pooling & { readonly name: string; readonly x: readonly number[] })[] = [
  { name: '2×2, stride 2', x: [2, 8, 6, 16], kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] },
  { name: '2×2, stride 2, odd size', x: [1, 7, 5, 3], kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] },
  { name: "3×3, stride 2, padded: a ResNet's", x: [2, 9, 8, 5], kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] },
  { name: '3×2, stride 1×3, asymmetric', x: [1, 5, 7, 4], kernel: [3, 2], stride: [1, 3], padding: [2, 0, 0, 1] },
  { name: 'overlapping 3×3, stride 1', x: [1, 5, 5, 19], kernel: [3, 3], stride: [1, 1], padding: [1, 1, 1, 1] },
  { name: '1×1 image', x: [3, 1, 1, 8], kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] },
  { name: 'the whole image', x: [2, 4, 4, 6], kernel: [4, 4], stride: [4, 4], padding: [0, 0, 0, 0] },
]

const samples = (extra: object, suffix = ''): Sample[] =>
  rows.map(({ name, x, ...attrs }) => ({
    name: `${name}${suffix}`,
    inputs: [normal(...x)],
    attrs: { ...attrs, ...extra },
  }))

const plain = { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] } as const

const invalid = (extra: object): OperatorSpec['invalid'] => [
  {
    name: 'features',
    inputs: [float(2, 10)],
    attrs: { ...plain, ...extra },
    message: 'input must be batch×height×width×channels, got 2×10',
  },
  {
    name: 'too large a window',
    inputs: [float(1, 2, 2, 3)],
    attrs: { ...plain, kernel: [3, 3], ...extra },
    message: 'the 3×3 window does not fit into the input 1×2×2×3',
  },
  {
    name: 'a window that may lie on padding alone',
    inputs: [float(1, 4, 4, 3)],
    attrs: { ...plain, padding: [2, 0, 0, 0], ...extra },
    message: 'padding [2,0,0,0] must be smaller than the 2×2 window',
  },
  {
    name: 'one stride',
    inputs: [float(1, 4, 4, 3)],
    attrs: { ...plain, stride: [2], ...extra },
    message: 'stride must be 2 whole numbers of at least 1, got [2]',
  },
]

export const maxPool: OperatorSpec = {
  op: 'maxPool',
  differentiable: [0],
  samples: samples({}),
  invalid: [
    ...invalid({}),
    {
      name: 'a place that does not fit a byte',
      inputs: [float(1, 32, 32, 3)],
      attrs: { kernel: [17, 17], stride: [1, 1], padding: [0, 0, 0, 0] },
      message: 'a window has at most 256 places, 17×17 has 289',
    },
  ],
}

/** Not differentiable where maxima are tied: these only compare engines. */
export const tiedMaxPool: OperatorSpec = {
  op: 'maxPool',
  differentiable: [],
  samples: rows.map(({ name, x, ...attrs }) => ({ name: `${name}, tied`, inputs: [tied(...x)], attrs })),
  invalid: [],
}

export const averagePool: OperatorSpec = {
  op: 'averagePool',
  differentiable: [0],
  samples: [...samples({ countPadding: true }), ...samples({ countPadding: false }, ', padding not counted')],
  invalid: invalid({ countPadding: true }),
}

export const globalAveragePool: OperatorSpec = {
  op: 'globalAveragePool',
  differentiable: [0],
  samples: [
    { name: '8×8', inputs: [normal(2, 8, 8, 16)] },
    { name: 'odd size', inputs: [normal(3, 5, 7, 11)] },
    { name: '1×1 image, batch 1', inputs: [normal(1, 1, 1, 5)] },
  ],
  invalid: [
    { name: 'features', inputs: [float(2, 10)], message: 'input must be batch×height×width×channels, got 2×10' },
  ],
}
