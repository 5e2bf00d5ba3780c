/** @file One of two values by a number that is fed or computed: whether an update takes place. Named as ONNX's `Where`. */
import { defineOp } from './define.js'
import { elementwiseUpdate } from './elementwise.js'
import { expectOneType, expectShape } from './expect.js'

/** condition (a scalar), a, b of one shape: a where the condition is not 0, else b. What is not chosen may be NaN. */
export const where = defineOp<Record<string, never>>({
  name: 'where',
  ...elementwiseUpdate,
  memory: [[2]],
  infer: ([condition, a, b]) => {
    expectShape('the condition', condition, [])
    expectShape('the second value', b, a.shape)
    expectOneType({ 'the first value': a, 'the second': b })
    return [b]
  },
  reference: ([condition, a, b], [y]) => y.data.set(condition.data[0] === 0 ? b.data : a.data),
})
