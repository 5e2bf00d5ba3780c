/** @file Repeats a tensor along axes of size 1 and new leading axes, by NumPy's rule. */
import { ShapeError } from '../errors.js'
import { broadcastShapes, formatShape, type Shape, sameShape } from '../graph/types.js'
import { sumToShape } from './broadcast.js'
import { defineOp, type OpDefinition } from './define.js'
import { elementwise } from './elementwise.js'
import { broadcastIndices } from './strided.js'

export type BroadcastToAttributes = { readonly shape: Shape }

export const broadcastTo: OpDefinition<BroadcastToAttributes> = defineOp<BroadcastToAttributes>({
  ...elementwise,
  name: 'broadcastTo',
  infer: ([x], { shape }) => {
    const wide = broadcastShapes(x.shape, shape)
    if (wide === undefined || !sameShape(wide, shape)) {
      throw new ShapeError(`${formatShape(x.shape)} does not broadcast to ${formatShape(shape)}`)
    }
    return [{ shape, dtype: x.dtype }]
  },
  gradient: ({ builder, node, inputs: [x], gradients: [dy] }) => [
    dy && sumToShape(builder, dy, x.type.shape, `${node.name}.dx`),
  ],
  reference: ([x], [y]) => {
    const from = broadcastIndices(x.shape, y.shape)
    for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[from[i]]
  },
})
