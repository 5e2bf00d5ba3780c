/** @file Cases of dropout and stochastic depth. */
import { constant, float, normal, type OperatorSpec, type as typed } from './case.js'

const seed = constant(1234, 'int32')

export const randomSpecs: readonly OperatorSpec[] = (['dropout', 'stochasticDepth'] as const).map(op => ({
  op,
  differentiable: [0],
  samples: [
    { name: 'half', inputs: [normal(6, 3, 3, 5), seed], attrs: { rate: 0.5, stream: 7 } },
    { name: 'a fifth, features', inputs: [normal(9, 33), seed], attrs: { rate: 0.2, stream: 4294967295 } },
    { name: 'rate 0', inputs: [normal(3, 8), seed], attrs: { rate: 0, stream: 1 } },
    { name: 'no seed: the identity', inputs: [normal(4, 2, 2, 3)], attrs: { rate: 0.9, stream: 1 } },
  ],
  invalid: [
    {
      name: 'rate 1',
      inputs: [float(2, 3)],
      attrs: { rate: 1, stream: 0 },
      message: 'rate must be at least 0 and below 1, got 1',
    },
    {
      name: 'a seed of floats',
      inputs: [float(2, 3), float()],
      attrs: { rate: 0.5, stream: 0 },
      message: 'the seed must be an int32 scalar, got float32 scalar',
    },
    {
      name: 'many seeds',
      inputs: [float(2, 3), typed('int32', 2)],
      attrs: { rate: 0.5, stream: 0 },
      message: 'the seed must be an int32 scalar, got int32 2',
    },
  ],
}))
