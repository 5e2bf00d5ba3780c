/** @file Adds up over several runs, in a state: the gradients of a batch that runs in parts. */
import { defineOp } from './define.js'
import { elementwiseUpdate } from './elementwise.js'
import { expectOneType, expectShape } from './expect.js'

/** sum and value of one shape, and the scalar first: where it is not 0 the sum begins with the value, else it grows by it. */
export const accumulate = defineOp<Record<string, never>>({
  name: 'accumulate',
  ...elementwiseUpdate,
  memory: [[0]],
  infer: ([sum, value, first]) => {
    expectShape('the value', value, sum.shape)
    expectShape('first', first, [])
    expectOneType({ 'the sum': sum, 'the value': value })
    return [sum]
  },
  reference: ([sum, value, first], [y]) => {
    const begins = first.data[0] !== 0
    for (let i = 0; i < y.data.length; i++) y.data[i] = begins ? value.data[i] : sum.data[i] + value.data[i]
  },
})
