/**
 * @file Convolutions in integers: they are computed as floats, and a kernel of ours makes of the sums what the graph wants. Sums below
 * 2^24 are the same integers, as those of up to 514 products always are; larger ones are rounded to 24 bits, of which a result in 8 bits
 * shows little.
 */
import {
  elements,
  geometryOf,
  hasIntegerDepthwise,
  integerDepthwise,
  type Lower,
  readPadded,
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
    to.kernel('cast', { x: readPadded(to, node), y: x, elements: count, from: 'uint8', to: 'float32' })
    const y = to.temporary(4 * elements(node.outputs[0].shape))
    convolve(layouts, to, geometry, { x, weight: node.inputs[1], y, activation: 'none', exact: true })
    requantize(to, node, y, 'float32')
  }
