/** @file Operators against values worked out by hand or known from PyTorch 1.13 (float64). */
import { expect, test } from 'vitest'
import type { Attributes } from '../../src/graph/graph.js'
import { erf } from '../../src/ops/activations/gelu.js'
import type { OpName } from '../../src/ops/index.js'
import { evaluate, type Given, scalar, vector } from './evaluate.js'

interface Known {
  readonly what: string
  readonly op: OpName
  readonly inputs: readonly Given[]
  readonly attrs?: Attributes
  /** One list per output, or fewer. */
  readonly outputs: readonly (readonly number[])[]
}

const image = (size: number, values: readonly number[]): Given => ({ shape: [1, size, size, 1], values })
const counting = Array.from({ length: 16 }, (_, i) => i + 1)
const window = { kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] }
const logits: Given = { shape: [2, 3], values: [1, 2, 0.5, -1, 0, 3] }
const labels: Given = { shape: [2], values: [1, 0], dtype: 'int32' }
const soft: Given = { shape: [2, 3], values: [0.2, 0.3, 0.5, 0.1, 0.9, 0] }
const points = vector(-4, -1.5, -0.5, 0.25, 1, 3.5)

const known: readonly Known[] = [
  {
    // Each output is the sum of a plus-shaped window: the pixel, and its neighbours above, below, left and right.
    what: '3×3 cross on a 3×3 image, zero padding',
    op: 'conv2d',
    inputs: [image(3, [1, 2, 3, 4, 5, 6, 7, 8, 9]), { shape: [1, 1, 3, 3], values: [0, 1, 0, 1, 1, 1, 0, 1, 0] }],
    attrs: { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 },
    outputs: [[7, 11, 11, 17, 25, 23, 19, 29, 23]],
  },
  {
    what: 'a window is not mirrored (cross-correlation)',
    op: 'conv2d',
    inputs: [image(2, [1, 2, 3, 4]), { shape: [1, 1, 2, 2], values: [1, 10, 100, 1000] }, vector(0.5)],
    attrs: { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 },
    outputs: [[4321.5]],
  },
  {
    what: 'padding is top, bottom, left, right',
    op: 'conv2d',
    inputs: [image(2, [1, 2, 3, 4]), { shape: [1, 1, 1, 1], values: [1] }],
    attrs: { stride: [1, 1], padding: [1, 0, 0, 2], dilation: [1, 1], groups: 1 },
    outputs: [[0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0]],
  },
  {
    what: 'y = x·wᵀ + b',
    op: 'linear',
    inputs: [{ shape: [1, 2], values: [1, 2] }, { shape: [3, 2], values: [1, 0, 0, 1, 3, 4] }, vector(0, 10, 20)],
    outputs: [[1, 12, 31]],
  },
  {
    what: 'batch of four, two channels',
    op: 'batchNormTraining',
    inputs: [{ shape: [4, 2], values: [1, 10, 2, 20, 3, 30, 6, 60] }, vector(1, 1), vector(0, 0)],
    attrs: { epsilon: 1e-5 },
    outputs: [
      [
        -1.0690434404458737, -1.0690449523776269, -0.5345217202229369, -0.5345224761888134, 0, 0, 1.6035651606688102,
        1.6035674285664403,
      ],
      [3, 30],
      [3.5, 350],
    ],
  },
  {
    // (3 − 1)/√(3.75 + 0.25)·2 + 1 = 3, plus the residual −5 is −2: ReLU makes it 0.
    what: 'running statistics, then residual, then activation',
    op: 'batchNorm',
    inputs: [
      { shape: [2, 1], values: [3, 3] },
      ...[2, 1, 1, 3.75].map(v => vector(v)),
      { shape: [2, 1], values: [-5, 4] },
    ],
    attrs: { epsilon: 0.25, momentum: 0.1, activation: 'relu' },
    outputs: [[0, 7]],
  },
  { what: 'ReLU', op: 'relu', inputs: [points], outputs: [[0, 0, 0, 0.25, 1, 3.5]] },
  { what: 'ReLU6', op: 'relu6', inputs: [vector(-1, 3, 8)], outputs: [[0, 3, 6]] },
  {
    what: 'GELU',
    op: 'gelu',
    inputs: [points],
    outputs: [
      [
        -0.00012668496733247991, -0.10021080190328704, -0.15426876936299344, 0.14967658142073093, 0.841344746068543,
        3.4991857982233756,
      ],
    ],
  },
  {
    what: 'SiLU',
    op: 'silu',
    inputs: [points],
    outputs: [
      [
        -0.07194483984836623, -0.2736382857095345, -0.1887703343990727, 0.14054412522144952, 0.7310585786300049,
        3.3974071923702525,
      ],
    ],
  },
  { what: 'hard-swish', op: 'hardSwish', inputs: [points], outputs: [[0, -0.375, -5 / 24, 13 / 96, 2 / 3, 3.5]] },
  { what: 'sigmoid', op: 'sigmoid', inputs: [vector(0, Math.log(3), -1000)], outputs: [[0.5, 0.75, 0]] },
  {
    what: 'softmax of large logits',
    op: 'softmax',
    inputs: [{ shape: [1, 2], values: [1000, 1000 + Math.log(3)] }],
    outputs: [[0.25, 0.75]],
  },
  {
    what: 'max pooling, places in the window',
    op: 'maxPool',
    inputs: [image(4, counting)],
    attrs: window,
    outputs: [
      [6, 8, 14, 16],
      [8, 8, 8, 8],
    ],
  },
  {
    what: 'the first of tied maxima, never the padding',
    op: 'maxPool',
    inputs: [image(4, Array(16).fill(-1))],
    attrs: window,
    outputs: [
      [-1, -1, -1, -1],
      [4, 3, 1, 0],
    ],
  },
  {
    what: 'padding is top, bottom, left, right',
    op: 'maxPool',
    inputs: [image(2, [1, 2, 3, 4])],
    attrs: { kernel: [2, 2], stride: [1, 1], padding: [1, 0, 0, 1] },
    outputs: [
      [2, 2, 4, 4],
      [3, 2, 3, 2],
    ],
  },
  {
    what: 'average pooling, padding counted',
    op: 'averagePool',
    inputs: [image(4, counting)],
    attrs: { ...window, countPadding: true },
    outputs: [[14 / 9, 30 / 9, 57 / 9, 11]],
  },
  {
    what: 'average pooling, padding not counted',
    op: 'averagePool',
    inputs: [image(4, counting)],
    attrs: { ...window, countPadding: false },
    outputs: [[3.5, 5, 9.5, 11]],
  },
  { what: 'global average', op: 'globalAveragePool', inputs: [image(4, counting)], outputs: [[8.5]] },
  {
    what: 'a tie shares the gradient',
    op: 'reduceMaxGradient',
    inputs: [scalar(6), vector(1, 3, 3, 2), scalar(3)],
    attrs: { axes: [0], keepDims: false },
    outputs: [[0, 3, 3, 0]],
  },
  {
    what: 'every second, from 1 to before 6',
    op: 'slice',
    inputs: [vector(0, 1, 2, 3, 4, 5, 6)],
    attrs: { start: [1], stop: [6], step: [2] },
    outputs: [[1, 3, 5]],
  },
  {
    what: 'its gradient',
    op: 'sliceGradient',
    inputs: [vector(7, 8, 9)],
    attrs: { start: [1], stop: [6], step: [2], shape: [7] },
    outputs: [[0, 7, 0, 8, 0, 9, 0]],
  },
  {
    what: 'to whole numbers: towards zero',
    op: 'cast',
    inputs: [vector(-1.7, 1.7, 3e9)],
    attrs: { dtype: 'int32' },
    outputs: [[-1, 1, 2147483647]],
  },
  {
    what: 'to bytes: limited',
    op: 'cast',
    inputs: [vector(-3, 254.9, 300)],
    attrs: { dtype: 'uint8' },
    outputs: [[0, 254, 255]],
  },
  {
    what: 'indices',
    op: 'crossEntropy',
    inputs: [logits, labels],
    attrs: { labelSmoothing: 0 },
    outputs: [[2.265126343932687]],
  },
  {
    what: 'smoothing',
    op: 'crossEntropy',
    inputs: [logits, labels],
    attrs: { labelSmoothing: 0.1 },
    outputs: [[2.223459677266021]],
  },
  {
    what: 'soft labels',
    op: 'crossEntropy',
    inputs: [logits, soft],
    attrs: { labelSmoothing: 0.1 },
    outputs: [[2.2459596772660206]],
  },
  {
    what: 'smoothing',
    op: 'crossEntropyGradient',
    inputs: [logits, labels, scalar(1)],
    attrs: { labelSmoothing: 0.1 },
    outputs: [
      [
        0.09894528214440786, -0.15240080706078546, 0.053455524916377575, -0.45809275389390647, 0.006639644622320279,
        0.4514531092715862,
      ],
    ],
  },
  { what: 'two elements', op: 'meanSquaredError', inputs: [vector(1, 5), vector(2, 2)], outputs: [[5]] },
  {
    // PyTorch's running variance after one batch of variance 3.5 over four values: 0.9·1 + 0.1·(4/3)·3.5.
    what: 'running variance',
    op: 'runningAverage',
    inputs: [vector(1), vector(3.5)],
    attrs: { momentum: 0.1, scale: 4 / 3 },
    outputs: [[1.3666666666666667]],
  },
]

test.each(known)('$op: $what', async ({ op, inputs, attrs, outputs }) => {
  const results = await evaluate(op, inputs, attrs)
  outputs.forEach((expected, o) => {
    expect(results[o].length).toBe(expected.length)
    expected.forEach((value, i) => {
      expect(results[o][i], `output ${o}[${i}]`).toBeCloseTo(value, 12)
    })
  })
})

test('erf: to 15 digits of the true values, on both sides of where the method changes', () => {
  const values = [
    [-4, -0.9999999845827421],
    [-0.5, -0.5204998778130465],
    [0, 0],
    [1, 0.8427007929497149],
    [2.9, 0.9999589021219005],
    [3, 0.9999779095030014],
    [3.1, 0.9999883513426328],
    [5, 0.9999999999984626],
    [8, 1],
  ]
  for (const [x, y] of values) expect(Math.abs(erf(x) - y), `erf(${x})`).toBeLessThan(1e-15)
})

test('a label that is no class is named', async () => {
  const bad: Given = { shape: [2], values: [1, 3], dtype: 'int32' }
  await expect(evaluate('crossEntropy', [logits, bad], { labelSmoothing: 0 })).rejects.toThrow(
    'label 3 of image 1 in the batch is not one of the classes 0 to 2',
  )
})

test('NaN is not hidden by activations and pooling', async () => {
  expect(await evaluate('relu', [vector(Number.NaN)])).toEqual([[Number.NaN]])
  const [maxima] = await evaluate('maxPool', [image(2, [1, Number.NaN, 3, 4])], {
    kernel: [2, 2],
    stride: [2, 2],
    padding: [0, 0, 0, 0],
  })
  expect(maxima).toEqual([Number.NaN])
})
