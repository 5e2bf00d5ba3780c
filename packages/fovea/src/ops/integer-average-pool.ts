/**
 * @file Average pooling of integers that stand for floats, for inference (Jacob et al. 2018, arXiv 1712.05877, section 2). They add up
 * exactly. passes/integer-arithmetic.ts writes it.
 */
import type { TensorType } from '../graph/types.js'
import { type AveragePoolAttributes, divisors } from './average-pool.js'
import { letters } from './axes.js'
import { perImage } from './batch.js'
import { defineOp } from './define.js'
import { expectType } from './expect.js'
import { forEachPooled, pooledShape } from './pooling.js'
import { type ActivationScale, checkScale, requantizedUint8 } from './quantization.js'

export type IntegerAveragePoolAttributes = AveragePoolAttributes & {
  readonly input: ActivationScale
  readonly output: ActivationScale
}

/** x (uint8): the mean of each window as the nearest uint8 of another scale. Padding stands for 0. */
export const integerAveragePool = defineOp<IntegerAveragePoolAttributes>({
  name: 'integerAveragePool',
  batch: perImage([0]),
  memory: [],
  axes: letters('n..c -> n..c'),
  infer: ([x], attrs): readonly TensorType[] => {
    expectType('input', x, 'uint8')
    checkScale('the input', attrs.input)
    checkScale('the result', attrs.output)
    return [{ shape: pooledShape(x.shape, attrs), dtype: 'uint8' }]
  },
  reference: ([x], [y], attrs) => {
    const { input, output } = attrs
    const channels = x.shape[3]
    const counts = divisors(x.shape, y.shape, attrs)
    const sums = new Float64Array(y.data.length)
    forEachPooled(x.shape, y.shape, attrs, (xOffset, yOffset) => {
      for (let c = 0; c < channels; c++) sums[yOffset + c] += x.data[xOffset + c] - input.zeroPoint
    })
    for (let i = 0; i < sums.length; i++) {
      const factor = input.scale / (counts[Math.floor(i / channels)] * output.scale)
      y.data[i] = requantizedUint8(Math.fround(sums[i]) * Math.fround(factor), output)
    }
  },
})
