/** @file Cases of the fully connected layer. */
import { float, normal, type OperatorSpec, type Sample } from './case.js'

const linearSample = (name: string, batch: number, features: number, out: number, bias: boolean): Sample => ({
  name,
  inputs: [normal(batch, features), normal(out, features), ...(bias ? [normal(out)] : [])],
})

export const linear: OperatorSpec = {
  op: 'linear',
  differentiable: [0, 1, 2],
  samples: [
    linearSample('with bias, 64 to 10', 8, 64, 10, true),
    linearSample('without bias, 7 to 5', 3, 7, 5, false),
    linearSample('batch 1', 1, 16, 32, true),
    linearSample('one feature, one output', 5, 1, 1, true),
  ],
  invalid: [
    {
      name: 'features differ',
      inputs: [float(2, 512), float(10, 256)],
      message: 'input has 512 features, weight 10×256 expects 256',
    },
    { name: 'images', inputs: [float(2, 4, 4, 8), float(10, 8)], message: 'input must be batch×features, got 2×4×4×8' },
    { name: 'weight of one axis', inputs: [float(2, 8), float(8)], message: 'weight must be out×in, got 8' },
    { name: 'bias of another size', inputs: [float(2, 8), float(4, 8), float(8)], message: 'bias is 8, expected 4' },
  ],
}
