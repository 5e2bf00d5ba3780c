/**
 * @file A running average, as batch normalization keeps: old + momentum · (scale·value − old). `scale` is m/(m − 1) for a
 * variance over m values, since PyTorch's running variance is unbiased while the batch's is not; 1 otherwise.
 */
import { defineOp } from './define.js'
import { elementwiseUpdate } from './elementwise.js'
import { expectOneType, expectShape } from './expect.js'

export type RunningAverageAttributes = { readonly momentum: number; readonly scale: number }

/** old and value, of one shape. */
export const runningAverage = defineOp<RunningAverageAttributes>({
  name: 'runningAverage',
  ...elementwiseUpdate,
  memory: [[0]],
  infer: ([old, value]) => {
    expectShape('value', value, old.shape)
    expectOneType({ 'the average': old, value })
    return [old]
  },
  reference: ([old, value], [next], { momentum, scale }) => {
    for (let i = 0; i < next.data.length; i++) {
      next.data[i] = old.data[i] + momentum * (scale * value.data[i] - old.data[i])
    }
  },
})
