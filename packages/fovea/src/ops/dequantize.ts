/** @file Integers to the floats that they stand for: y = (x − zeroPoint)·scale. */
import { ShapeError } from '../errors.js'
import type { TensorType } from '../graph/types.js'
import { defineOp } from './define.js'
import { elementByElement, expectScales, integerTypes, type ScaleAttributes, scaleIndex } from './quantization.js'

/**
 * `largest`: no integer lies beyond it or its negative. Where an engine adds products up in 16 bits, it decides whether they can
 * overflow. Default: the type's.
 */
export type DequantizeAttributes = ScaleAttributes & { readonly largest?: number }

/** x, of int8, uint8 or int32, its scale, and optionally the zero point, of its type; without it, 0. The result is float32. */
export const dequantize = defineOp<DequantizeAttributes>({
  name: 'dequantize',
  ...elementByElement,
  infer: ([x, scale, zeroPoint], attrs): readonly TensorType[] => {
    if (!(integerTypes as readonly string[]).includes(x.dtype)) {
      throw new ShapeError(`int8, uint8 or int32 stand for floats, not ${x.dtype}`)
    }
    expectScales(x, scale, zeroPoint, { ...attrs, dtype: x.dtype })
    return [{ shape: x.shape, dtype: 'float32' }]
  },
  reference: ([x, scale, zeroPoint], [y], attrs) => {
    const channel = scaleIndex(x, attrs)
    for (let i = 0; i < y.data.length; i++) {
      const c = channel(i)
      y.data[i] = (x.data[i] - (zeroPoint?.data[c] ?? 0)) * scale.data[c]
    }
  },
})
