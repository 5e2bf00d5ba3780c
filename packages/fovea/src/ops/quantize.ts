/** @file Floats to the nearest integers of a scale: y = x / scale, rounded half to even, + zeroPoint, limited to the type's range. */
import { ShapeError } from '../errors.js'
import { integerRange } from '../graph/types.js'
import { defineOp } from './define.js'
import { expectFloat } from './expect.js'
import {
  elementByElement,
  expectScales,
  nearestInteger,
  type QuantizedType,
  quantizedTypes,
  type ScaleAttributes,
  scaleIndex,
} from './quantization.js'

export type QuantizeAttributes = ScaleAttributes & { readonly dtype: QuantizedType }

/** x, scale, and optionally the zero point, of the type of the result; without it, 0. What is no number becomes the zero point. */
export const quantize = defineOp<QuantizeAttributes>({
  name: 'quantize',
  ...elementByElement,
  infer: ([x, scale, zeroPoint], attrs) => {
    expectFloat('input', x)
    if (!quantizedTypes.includes(attrs.dtype)) {
      throw new ShapeError(`floats are quantized to int8 or uint8, not ${attrs.dtype}`)
    }
    expectScales(x, scale, zeroPoint, attrs)
    return [{ shape: x.shape, dtype: attrs.dtype }]
  },
  reference: ([x, scale, zeroPoint], [y], attrs) => {
    const [low, high] = integerRange(attrs.dtype)!
    const channel = scaleIndex(x, attrs)
    for (let i = 0; i < y.data.length; i++) {
      const c = channel(i)
      const nearest = nearestInteger(x.data[i], scale.data[c])
      const q = (Number.isNaN(nearest) ? 0 : nearest) + (zeroPoint?.data[c] ?? 0)
      y.data[i] = Math.min(Math.max(q, low), high)
    }
  },
})
