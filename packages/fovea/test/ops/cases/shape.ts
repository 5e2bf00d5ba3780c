/** @file Cases of what changes shape or type. */
import { constant, float, normal, type OperatorSpec } from './case.js'

export const flatten: OperatorSpec = {
  op: 'flatten',
  differentiable: [0],
  samples: [
    { name: 'images', inputs: [normal(2, 3, 4, 5)] },
    { name: 'features', inputs: [normal(3, 4)] },
    { name: 'a vector', inputs: [normal(3)] },
  ],
  invalid: [{ name: 'a scalar', inputs: [float()], message: 'input must have a batch axis, got scalar' }],
}

export const reshape: OperatorSpec = {
  op: 'reshape',
  differentiable: [0],
  samples: [
    { name: 'to a matrix', inputs: [normal(2, 3, 4)], attrs: { shape: [6, 4] } },
    { name: 'the batch left open', inputs: [normal(2, 3, 4)], attrs: { shape: [-1, 12] } },
    { name: 'to a scalar', inputs: [normal(1, 1)], attrs: { shape: [] } },
  ],
  invalid: [
    { name: 'other size', inputs: [float(2, 3)], attrs: { shape: [4] }, message: '2×3 does not reshape to 4' },
    { name: 'two open', inputs: [float(2, 3)], attrs: { shape: [-1, -1] }, message: '2×3 does not reshape to -1×-1' },
    {
      name: 'no whole rest',
      inputs: [float(2, 3)],
      attrs: { shape: [-1, 4] },
      message: '2×3 does not reshape to -1×4',
    },
  ],
}

export const broadcastTo: OperatorSpec = {
  op: 'broadcastTo',
  differentiable: [0],
  samples: [
    { name: 'channels to images', inputs: [normal(5)], attrs: { shape: [2, 3, 3, 5] } },
    { name: 'pooled to images', inputs: [normal(2, 1, 1, 8)], attrs: { shape: [2, 4, 3, 8] } },
    { name: 'a scalar', inputs: [normal()], attrs: { shape: [3, 2] } },
    { name: 'as it is', inputs: [normal(2, 3)], attrs: { shape: [2, 3] } },
  ],
  invalid: [
    {
      name: 'other size',
      inputs: [float(2, 3)],
      attrs: { shape: [2, 4] },
      message: '2×3 does not broadcast to 2×4',
    },
    {
      name: 'a smaller shape',
      inputs: [float(2, 3)],
      attrs: { shape: [1, 3] },
      message: '2×3 does not broadcast to 1×3',
    },
  ],
}

export const pad: OperatorSpec = {
  op: 'pad',
  differentiable: [0],
  samples: [
    {
      name: 'zero channels',
      inputs: [normal(2, 4, 4, 8)],
      attrs: { before: [0, 0, 0, 4], after: [0, 0, 0, 4], value: 0 },
    },
    {
      name: 'pixels, asymmetric',
      inputs: [normal(1, 3, 5, 3)],
      attrs: { before: [0, 1, 0, 0], after: [0, 2, 3, 0], value: -1.5 },
    },
    { name: 'nothing', inputs: [normal(2, 3)], attrs: { before: [0, 0], after: [0, 0], value: 0 } },
  ],
  invalid: [
    {
      name: 'too few axes',
      inputs: [float(1, 4, 4, 3)],
      attrs: { before: [1, 1], after: [0, 0, 0, 0], value: 0 },
      message: 'before must be 4 whole numbers of at least 0, got [1,1]',
    },
    {
      name: 'negative',
      inputs: [float(2, 3)],
      attrs: { before: [0, 0], after: [0, -1], value: 0 },
      message: 'after must be 2 whole numbers of at least 0, got [0,-1]',
    },
  ],
}

export const slice: OperatorSpec = {
  op: 'slice',
  differentiable: [0],
  samples: [
    {
      name: 'every second pixel: the shortcut of the CIFAR ResNets',
      inputs: [normal(2, 8, 7, 16)],
      attrs: { start: [0, 0, 0, 0], stop: [-1, -1, -1, -1], step: [1, 2, 2, 1] },
    },
    {
      name: 'a window, step 3',
      inputs: [normal(1, 9, 8, 5)],
      attrs: { start: [0, 1, 2, 1], stop: [-1, 8, 7, 4], step: [1, 3, 1, 2] },
    },
    { name: 'one element', inputs: [normal(4, 3)], attrs: { start: [2, 1], stop: [3, 2], step: [1, 1] } },
  ],
  invalid: [
    {
      name: 'beyond the end',
      inputs: [float(2, 8)],
      attrs: { start: [0, 4], stop: [-1, 9], step: [1, 1] },
      message: 'from 4 to 9 is no part of axis 1 of the input 2×8',
    },
    {
      name: 'nothing left',
      inputs: [float(2, 8)],
      attrs: { start: [2, 0], stop: [-1, -1], step: [1, 1] },
      message: 'from 2 to 2 is no part of axis 0 of the input 2×8',
    },
    {
      name: 'step 0',
      inputs: [float(2, 8)],
      attrs: { start: [0, 0], stop: [-1, -1], step: [1, 0] },
      message: 'step must be 2 whole numbers of at least 1, got [1,0]',
    },
  ],
}

export const cast: OperatorSpec = {
  op: 'cast',
  differentiable: [],
  samples: [
    { name: 'bytes to float', inputs: [constant(200, 'uint8', 2, 3)], attrs: { dtype: 'float32' } },
    { name: 'float to int32', inputs: [normal(4, 5)], attrs: { dtype: 'int32' } },
    { name: 'float to bfloat16', inputs: [normal(3, 17)], attrs: { dtype: 'bfloat16' } },
    { name: 'float to float16', inputs: [normal(3, 17)], attrs: { dtype: 'float16' } },
  ],
  invalid: [],
}

/** Between float types of one precision the gradient passes unchanged. */
export const floatCast: OperatorSpec = {
  op: 'cast',
  differentiable: [0],
  samples: [{ name: 'float to float', inputs: [normal(2, 3)], attrs: { dtype: 'float32' } }],
  invalid: [],
}
