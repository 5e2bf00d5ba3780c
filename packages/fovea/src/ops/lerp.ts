/**
 * @file Linear interpolation, a + t·(b − a), with t a scalar that is fed: moving averages of weights, and the step back to
 * them. Named as PyTorch's `torch.lerp`.
 */
import { defineOp } from './define.js'
import { elementwiseUpdate } from './elementwise.js'
import { expectOneType, expectShape } from './expect.js'

/** a, b of one shape, and the scalar t: 0 gives a, 1 gives b, both exactly, whatever the other holds. */
export const lerp = defineOp<Record<string, never>>({
  name: 'lerp',
  ...elementwiseUpdate,
  memory: [[0]],
  infer: ([a, b, t]) => {
    expectShape('the end', b, a.shape)
    expectShape('the weight', t, [])
    expectOneType({ 'the start': a, 'the end': b })
    return [a]
  },
  reference: ([a, b, t], [y]) => {
    const weight = t.data[0]
    if (weight === 0 || weight === 1) return y.data.set(weight === 0 ? a.data : b.data)
    for (let i = 0; i < y.data.length; i++) {
      y.data[i] = a.data[i] + weight * (b.data[i] - a.data[i])
    }
  },
})
