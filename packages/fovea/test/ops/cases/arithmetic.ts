/** @file Cases of elementwise arithmetic and reductions. */
import { float, normal, type OperatorSpec, type Sample, type as typed } from './case.js'

const pairs: readonly (readonly [name: string, a: readonly number[], b: readonly number[]])[] = [
  ['alike', [2, 3, 5, 7], [2, 3, 5, 7]],
  ['alike, 16 channels', [2, 4, 4, 16], [2, 4, 4, 16]],
  ['a scale per image and channel (squeeze-and-excitation)', [2, 4, 3, 16], [2, 1, 1, 16]],
  ['the smaller first', [2, 1, 1, 5], [2, 3, 4, 5]],
  ['per channel', [2, 3, 3, 6], [6]],
  ['a scalar', [3, 5], []],
  ['both grow', [4, 1, 3], [5, 1]],
  ['leading axis of one', [1, 4], [4]],
]

const binary = (op: 'add' | 'multiply'): OperatorSpec => ({
  op,
  differentiable: [0, 1],
  samples: pairs.map(([name, a, b]) => ({ name, inputs: [normal(...a), normal(...b)] })),
  invalid: [
    {
      name: 'shapes that do not fit',
      inputs: [float(2, 8, 8, 16), float(2, 4, 4, 16)],
      message: '2×8×8×16 and 2×4×4×16 do not broadcast to one shape',
    },
    {
      name: 'types that differ',
      inputs: [float(3), typed('bfloat16', 3)],
      message: 'the inputs are float32 and bfloat16: cast one of them',
    },
  ],
})

export const add = binary('add')
export const multiply = binary('multiply')

export const multiplyAdd: OperatorSpec = {
  op: 'multiplyAdd',
  differentiable: [],
  samples: [
    {
      name: 'a scale and a shift per image and channel',
      inputs: [normal(2, 4, 3, 16), normal(2, 1, 1, 16), normal(2, 1, 1, 16)],
    },
    { name: 'odd channels, alike and per channel', inputs: [normal(1, 3, 3, 7), normal(1, 3, 3, 7), normal(7)] },
    { name: 'alike', inputs: [normal(4, 3), normal(4, 3), normal(4, 3)] },
    { name: 'scalars', inputs: [normal(5, 3), normal(), normal(1)] },
  ],
  invalid: [
    {
      name: 'a shift that is larger',
      inputs: [float(2, 1, 1, 8), float(2, 1, 1, 8), float(2, 4, 4, 8)],
      message: '2×4×4×8 does not broadcast to 2×1×1×8',
    },
  ],
}

export const productSum: OperatorSpec = {
  op: 'productSum',
  differentiable: [],
  samples: [
    {
      name: 'over pixels',
      inputs: [normal(2, 5, 4, 16), normal(2, 5, 4, 16)],
      attrs: { axes: [1, 2], keepDims: true },
    },
    {
      name: 'odd channels',
      inputs: [normal(3, 7, 5, 19), normal(3, 7, 5, 19)],
      attrs: { axes: [1, 2], keepDims: true },
    },
    { name: 'everything', inputs: [normal(3, 4), normal(3, 4)], attrs: { axes: [0, 1], keepDims: false } },
  ],
  invalid: [
    {
      name: 'factors of two shapes',
      inputs: [float(2, 3), float(2, 1)],
      attrs: { axes: [1], keepDims: true },
      message: 'the second factor is 2×1, expected 2×3',
    },
  ],
}

const reductions: readonly Sample[] = [
  { name: 'the last axis', inputs: [normal(3, 5)], attrs: { axes: [1], keepDims: false } },
  { name: 'the batch', inputs: [normal(4, 3, 2, 8)], attrs: { axes: [0], keepDims: true } },
  { name: 'height and width', inputs: [normal(2, 5, 3, 17)], attrs: { axes: [1, 2], keepDims: true } },
  { name: 'all but channels', inputs: [normal(2, 3, 4, 6)], attrs: { axes: [0, 1, 2], keepDims: false } },
  { name: 'everything', inputs: [normal(3, 4)], attrs: { axes: [0, 1], keepDims: false } },
  { name: 'two that are not neighbours', inputs: [normal(2, 3, 4)], attrs: { axes: [0, 2], keepDims: false } },
  { name: 'nothing', inputs: [normal(2, 3)], attrs: { axes: [], keepDims: false } },
]

export const reductionSpecs: readonly OperatorSpec[] = (['reduceSum', 'reduceMean', 'reduceMax'] as const).map(op => ({
  op,
  differentiable: [0],
  samples: reductions,
  invalid: [
    {
      name: 'an axis too far',
      inputs: [float(2, 3)],
      attrs: { axes: [2], keepDims: false },
      message: 'axes [2] do not fit the input 2×3',
    },
    {
      name: 'an axis twice',
      inputs: [float(2, 3)],
      attrs: { axes: [1, 1], keepDims: false },
      message: 'axes [1,1] do not fit the input 2×3',
    },
  ],
}))
