/** @file Convolutions in integers: the same integers are computed as floats, and a kernel of ours makes of the sums what the graph wants. */
import {
  elements,
  geometryOf,
  hasIntegerDepthwise,
  type IntegerConv2dAttributes,
  imagePadding,
  integerDepthwise,
  type Lower,
  type Lowering,
  type Node,
  type Operand,
  paddedShape,
  padInto,
  requantize,
} from 'fovea/engine'
import type { Layouts } from '../layouts.js'
import { convolve } from './convolve.js'

export const integerConv2d =
  (layouts: Layouts): Lower =>
  (to, node) => {
    if (hasIntegerDepthwise(node)) return integerDepthwise(to, node)
    const geometry = geometryOf(node)
    const count = elements(geometry.x)
    const x = to.temporary(4 * count)
    to.kernel('cast', { x: padded(to, node), y: x, elements: count, from: 'uint8', to: 'float32' })
    const y = to.temporary(4 * elements(node.outputs[0].shape))
    convolve(layouts, to, geometry, { x, weight: node.inputs[1], y, activation: 'none' })
    requantize(to, node, y, 'float32')
  }

/** The input with what a convolution of floats, which adds zeros alone, does not pad. */
function padded(to: Lowering, { inputs: [x], attrs }: Node): Operand {
  const { padding, zeroPoint } = attrs as unknown as IntegerConv2dAttributes
  if (zeroPoint === undefined) return to.read(x)
  const around = imagePadding(padding)
  const wide = to.temporary(elements(paddedShape(x.type.shape, around)))
  padInto(to, x, wide, { ...around, value: zeroPoint })
  return wide
}
