/**
 * @file A product that is read as integers alone, for inference: squeeze-and-excitation's scaling of channels is one. a · b never
 * leaves the cache as floats. passes/integer-arithmetic.ts writes it.
 */
import type { TensorType } from '../graph/types.js'
import { applyBinary, inferBinary } from './broadcast.js'
import { defineOp } from './define.js'
import { elementwise } from './elementwise.js'
import { expectType } from './expect.js'
import { type ActivationScale, checkScale, quantizedUint8 } from './quantization.js'

/** a and b, float32, with NumPy's broadcasting: a · b, rounded to the nearest uint8 of a scale. */
export const quantizedProduct = defineOp<ActivationScale>({
  name: 'quantizedProduct',
  ...elementwise,
  memory: [[]],
  float32Inputs: [0, 1],
  infer: ([a, b], attrs): readonly TensorType[] => {
    expectType('the first factor', a, 'float32')
    expectType('the second factor', b, 'float32')
    checkScale('the result', attrs)
    const [{ shape }] = inferBinary([a, b])
    return [{ shape, dtype: 'uint8' }]
  },
  reference: ([a, b], [y], scale) => applyBinary(a, b, y, (p, q) => quantizedUint8(Math.fround(p * q), scale)),
})
