/** @file The same numbers in another data type. To an integer type: towards zero, limited to its range. */
import { type DType, integerRange, isFloat } from '../graph/types.js'
import { defineOp, type OpDefinition } from './define.js'
import { elementwise } from './elementwise.js'

export type CastAttributes = { readonly dtype: DType }

export const cast: OpDefinition<CastAttributes> = defineOp<CastAttributes>({
  name: 'cast',
  ...elementwise,
  infer: ([x], { dtype }) => [{ shape: x.shape, dtype }],
  gradient: ({ builder, node, attrs, inputs: [x], gradients: [dy] }) => {
    if (dy === undefined || !isFloat(attrs.dtype) || !isFloat(x.type.dtype)) return []
    // The gradient of a weight that was cast down comes in float32 already.
    if (dy.type.dtype === x.type.dtype) return [dy]
    return [builder.emit(cast, [dy], { dtype: x.type.dtype }, `${node.name}.dx`)]
  },
  reference: ([x], [y], { dtype }) => {
    const range = integerRange(dtype)
    if (range === undefined) return y.data.set(x.data) // the engine rounds to bfloat16 and float16
    const [low, high] = range
    for (let i = 0; i < y.data.length; i++) y.data[i] = Math.min(Math.max(Math.trunc(x.data[i]), low), high)
  },
})
