/** @file a · b, element by element, with NumPy's broadcasting: squeeze-and-excitation's scaling of channels is one. */
import type { Value } from '../graph/graph.js'
import { sameShape } from '../graph/types.js'
import { applyBinary, inferBinary, productSumToShape, sumToShape } from './broadcast.js'
import { defineOp, type OpDefinition } from './define.js'
import { elementwise } from './elementwise.js'

export const multiply: OpDefinition<Record<string, never>> = defineOp<Record<string, never>>({
  name: 'multiply',
  ...elementwise,
  memory: [[0, 1]],
  infer: inferBinary,
  gradient: ({ builder, node, inputs: [a, b], gradients: [dy] }) => {
    if (dy === undefined) return []
    const gradient = (input: Value, other: Value, name: string) => {
      const { shape } = input.type
      const dense = sameShape(other.type.shape, dy.type.shape) && !sameShape(shape, dy.type.shape)
      if (dense) return productSumToShape(builder, dy, other, shape, name)
      return sumToShape(builder, builder.emit(multiply, [dy, other], {}, name), shape, name)
    }
    return [gradient(a, b, `${node.name}.da`), gradient(b, a, `${node.name}.db`)]
  },
  reference: ([a, b], [y]) => applyBinary(a, b, y, (p, q) => p * q),
})
