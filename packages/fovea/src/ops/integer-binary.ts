/**
 * @file Sums and products of integers that stand for floats, for inference (Jacob et al. 2018, arXiv 1712.05877, appendix A.2): a sum
 * between two layers, and squeeze-and-excitation's scaling of channels. passes/integer-arithmetic.ts writes them.
 */
import type { TensorType } from '../graph/types.js'
import { applyBinary, inferBinary } from './broadcast.js'
import { defineOp } from './define.js'
import { elementwise } from './elementwise.js'
import { expectType } from './expect.js'
import { type ActivationScale, checkScale, requantizedUint8 } from './quantization.js'

export type IntegerBinaryAttributes = {
  readonly a: ActivationScale
  readonly b: ActivationScale
  readonly output: ActivationScale
}

/**
 * Steps of the result in a step of an input, in 15 binary digits: times an integer of 8 they are exact in float32. So a sum of two
 * such products is the same where an engine rounds them and where it does not.
 */
export function stepsOf({ scale }: ActivationScale, output: ActivationScale): number {
  const steps = scale / output.scale
  const unit = 2 ** (Math.floor(Math.log2(steps)) - 14)
  return Math.round(steps / unit) * unit
}

export type IntegerAddAttributes = IntegerBinaryAttributes & { readonly activation?: 'relu' }

const binary = {
  ...elementwise,
  memory: [[0, 1]],
  infer: ([a, b]: readonly TensorType[], attrs: IntegerBinaryAttributes): readonly TensorType[] => {
    expectType('the first input', a, 'uint8')
    expectType('the second input', b, 'uint8')
    checkScale('the first input', attrs.a)
    checkScale('the second input', attrs.b)
    checkScale('the result', attrs.output)
    return inferBinary([a, b])
  },
} as const

/** a and b (uint8), with NumPy's broadcasting: activation(a + b) as the nearest uint8 of another scale. */
export const integerAdd = defineOp<IntegerAddAttributes>({
  name: 'integerAdd',
  ...binary,
  reference: ([a, b], [y], { activation, output, ...of }) => {
    const [first, second] = [of.a, of.b].map(scale => stepsOf(scale, output))
    applyBinary(a, b, y, (p, q) => {
      const sum = (p - of.a.zeroPoint) * first + (q - of.b.zeroPoint) * second
      return requantizedUint8(activation === 'relu' ? Math.max(sum, 0) : sum, output)
    })
  },
})

/** a and b (uint8), with NumPy's broadcasting: a · b as the nearest uint8 of another scale. */
export const integerMultiply = defineOp<IntegerBinaryAttributes>({
  name: 'integerMultiply',
  ...binary,
  reference: ([a, b], [y], { output, ...of }) => {
    const factor = Math.fround((of.a.scale * of.b.scale) / output.scale)
    applyBinary(a, b, y, (p, q) => requantizedUint8((p - of.a.zeroPoint) * (q - of.b.zeroPoint) * factor, output))
  },
})
