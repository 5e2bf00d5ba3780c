/** @file Integers to the floats that they stand for: y = (x − zeroPoint)·scale. */
import type { TensorType } from '../graph/types.js'
import { defineOp } from './define.js'
import { elementByElement, expectScales, type ScaleAttributes, scaleIndex } from './quantization.js'

/** x, of int8 or uint8, its scale, and optionally the zero point, of its type; without it, 0. The result is float32. */
export const dequantize = defineOp<ScaleAttributes>({
  name: 'dequantize',
  ...elementByElement,
  infer: ([x, scale, zeroPoint], attrs): readonly TensorType[] => {
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
