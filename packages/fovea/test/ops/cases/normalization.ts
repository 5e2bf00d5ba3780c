/** @file Cases of batch normalization, activations and softmax. */
import { type ActivationName, activations } from '../../../src/ops/activation.js'
import { float, normal, type OperatorSpec, positive, type Sample, smooth } from './case.js'

const names = Object.keys(activations) as ActivationName[]

const shapes: readonly (readonly number[])[] = [
  [2, 4, 4, 16],
  [3, 5, 3, 19],
  [4, 1, 1, 8],
  [1, 3, 3, 3],
  [6, 5],
]

/** Every shape plain, then every activation with and without a residual. */
function samples(inputs: (shape: readonly number[], channels: number) => Sample['inputs'], attrs: object): Sample[] {
  const sample = (shape: readonly number[], activation: ActivationName | undefined, residual: boolean): Sample => ({
    name: `${shape.join('×')}${residual ? ' with residual' : ''}${activation ? ` and ${activation}` : ''}`,
    inputs: [...inputs(shape, shape[shape.length - 1]), ...(residual ? [normal(...shape)] : [])],
    attrs: activation === undefined ? { ...attrs } : { ...attrs, activation },
  })
  return [
    ...shapes.map(shape => sample(shape, undefined, false)),
    ...[undefined, ...names].map((activation, i) => sample(shapes[i % 4], activation, true)),
    ...names.map((activation, i) => sample(shapes[(i + 1) % 4], activation, false)),
  ]
}

const training = { epsilon: 1e-5 }
const inference = { epsilon: 1e-3, momentum: 0.1 }

export const batchNorm: OperatorSpec = {
  op: 'batchNorm',
  differentiable: [0, 1, 2, 5],
  samples: samples(
    (shape, channels) => [normal(...shape), positive(channels), normal(channels), normal(channels), positive(channels)],
    inference,
  ),
  invalid: [
    {
      name: 'weight of other channels',
      inputs: [float(1, 4, 4, 8), float(4), float(8), float(8), float(8)],
      attrs: inference,
      message: 'input has 8 channels, weight has 4',
    },
    {
      name: 'variance of other channels',
      inputs: [float(1, 4, 4, 8), float(8), float(8), float(8), float(1, 8)],
      attrs: inference,
      message: 'input has 8 channels, variance has 1×8',
    },
    {
      name: 'an activation that does not exist',
      inputs: [float(1, 4, 4, 8), float(8), float(8), float(8), float(8)],
      attrs: { ...inference, activation: 'swish' },
      message: "there is no activation 'swish', only relu, relu6, silu, gelu, sigmoid, hardSwish",
    },
  ],
}

export const batchNormTraining: OperatorSpec = {
  op: 'batchNormTraining',
  differentiable: [0, 1, 2, 3],
  samples: samples((shape, channels) => [normal(...shape), positive(channels), normal(channels)], training),
  invalid: [
    {
      name: 'bias of other channels',
      inputs: [float(2, 4, 4, 8), float(8), float(9)],
      attrs: training,
      message: 'input has 8 channels, bias has 9',
    },
    {
      name: 'residual of another shape',
      inputs: [float(2, 4, 4, 8), float(8), float(8), float(2, 8, 8, 8)],
      attrs: training,
      message: 'residual is 2×8×8×8, the input 2×4×4×8',
    },
    {
      name: 'one value per channel',
      inputs: [float(1, 1, 1, 8), float(8), float(8)],
      attrs: training,
      message: 'training needs more than one value per channel, the input is 1×1×1×8',
    },
  ],
}

export const activationSpecs: readonly OperatorSpec[] = names.map(op => ({
  op,
  differentiable: [0],
  samples: [
    { name: 'images', inputs: [smooth(2, 3, 5, 7)] },
    { name: 'a vector', inputs: [smooth(64)] },
    { name: 'one value', inputs: [smooth(1, 1, 1, 1)] },
  ],
  invalid: [],
}))

export const softmax: OperatorSpec = {
  op: 'softmax',
  differentiable: [0],
  samples: [
    { name: 'ten classes', inputs: [normal(4, 10)] },
    { name: 'widely spread', inputs: [smooth(3, 17)] },
    { name: 'one class', inputs: [normal(5, 1)] },
    { name: 'last axis of four', inputs: [normal(2, 3, 2, 5)] },
  ],
  invalid: [{ name: 'a scalar', inputs: [float()], message: 'input must have at least one axis, got a scalar' }],
}
