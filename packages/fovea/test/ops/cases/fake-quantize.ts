/** @file Cases of what rounds floats as integers will. */
import { constant, extremes, float, type InputSpec, type OperatorSpec, positive, smooth, type } from './case.js'

const beyondAll: InputSpec = { shape: [4], dtype: 'float32', value: i => [1, -1, 1e30, -1e30][i] }
/** How far to go below and above 0. */
const extent = (below: number, above: number): InputSpec => ({
  shape: [2],
  dtype: 'float32',
  value: i => [below, above][i],
})

/** Its gradient goes straight through what is no step of rounding: see fake-quantize.test.ts. */
export const fakeQuantize: OperatorSpec = {
  op: 'fakeQuantize',
  differentiable: [],
  samples: [
    { name: 'some cut off at both ends', inputs: [smooth(2, 3, 4, 19), extent(2.5, 4)] },
    { name: 'nothing below 0', inputs: [smooth(3, 17), extent(0, 6)] },
    { name: 'nothing was seen', inputs: [smooth(2, 3, 4, 5), extent(0, 0)] },
    {
      name: 'what is beyond all',
      inputs: [beyondAll, extent(1, 1)],
    },
  ],
  invalid: [
    { name: 'integers', inputs: [type('int8', 4), float(2)], message: 'input must be of a float type, got int8' },
    { name: 'one end', inputs: [float(4), float(1)], message: 'the extent is 1, expected 2' },
  ],
}

export const fakeQuantizeGradient: OperatorSpec = {
  op: 'fakeQuantizeGradient',
  differentiable: [],
  samples: [
    { name: 'some cut off at both ends', inputs: [smooth(2, 3, 4, 19), smooth(2, 3, 4, 19), extent(2.5, 4)] },
    { name: 'no number', inputs: [smooth(5), extremes, extent(2.5, 4)] },
  ],
  invalid: [
    {
      name: 'another shape',
      inputs: [float(4), float(5), float(2)],
      message: "the output's gradient is 4, expected 5",
    },
  ],
}

export const fakeQuantizeWeights: OperatorSpec = {
  op: 'fakeQuantizeWeights',
  differentiable: [],
  samples: [
    { name: '3×3', inputs: [smooth(5, 3, 3, 3)], attrs: { largest: 127 } },
    { name: 'a matrix, of 7 bits', inputs: [smooth(4, 19)], attrs: { largest: 63 } },
    { name: 'next to nothing', inputs: [constant(1e-44, 'float32', 2, 3)], attrs: { largest: 127 } },
    { name: 'zeros', inputs: [constant(0, 'float32', 2, 3)], attrs: { largest: 127 } },
  ],
  invalid: [
    { name: 'integers', inputs: [type('int8', 4, 4)], attrs: { largest: 127 }, message: 'weight must be float32' },
    {
      name: 'more than 8 bits',
      inputs: [float(4, 4)],
      attrs: { largest: 128 },
      message: 'the largest integer must be from 1 to 127, got 128',
    },
  ],
}

export const extentByImage: OperatorSpec = {
  op: 'extentByImage',
  differentiable: [],
  samples: [
    { name: 'of images', inputs: [smooth(3, 5, 6, 7)] },
    { name: 'of features, nothing below 0', inputs: [positive(2, 19)] },
  ],
  invalid: [{ name: 'no batch', inputs: [float(4)], message: 'input must be batch×…, got 4' }],
}
