/** @file Cases of what goes between floats and integers by a scale. */
import { constant, extremes, float, type OperatorSpec, positive, smooth, type } from './case.js'
import { biases, integers, quarter, scales, sevenBits, ties } from './integer-inputs.js'

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
