/** @file a · b, element by element, with NumPy's broadcasting: squeeze-and-excitation's scaling of channels is one. */
import { applyBinary, inferBinary, sumToShape } from './broadcast.js'
import { defineOp, type OpDefinition } from './define.js'

export const multiply: OpDefinition<Record<string, never>> = defineOp<Record<string, never>>({
  name: 'multiply',
  traits: ['elementwise'],
  inPlace: [0, 1],
  infer: inferBinary,
  gradient: ({ builder, node, inputs: [a, b], gradients: [dy] }) => {
    if (dy === undefined) return []
    const gradient = (input: typeof a, other: typeof a, name: string) =>
      sumToShape(builder, builder.emit(multiply, [dy, other], {}, name), input.type.shape, name)
    return [gradient(a, b, `${node.name}.da`), gradient(b, a, `${node.name}.db`)]
  },
  reference: ([a, b], [y]) => applyBinary(a, b, y, (p, q) => p * q),
})
