/** @file a + b with NumPy's broadcasting. */
import { applyBinary, inferBinary, sumToShape } from './broadcast.js'
import { defineOp } from './define.js'
import { elementwise } from './elementwise.js'

export const add = defineOp<Record<string, never>>({
  name: 'add',
  ...elementwise,
  memory: [[0, 1]],
  infer: inferBinary,
  gradient: ({ builder, node, inputs, gradients: [dy] }) =>
    inputs.map((input, i) => dy && sumToShape(builder, dy, input.type.shape, `${node.name}.d${'ab'[i]}`)),
  reference: ([a, b], [y]) => applyBinary(a, b, y, (p, q) => p + q),
})
