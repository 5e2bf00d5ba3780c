/**
 * @file Convolutions in integers: oneDNN adds the products up, and a kernel of ours makes of the sums what the graph wants, slice
 * by slice, while they are in the cache. So both generations of oneDNN compute the same, with any activation.
 */
import {
  elements,
  geometryOf,
  hasIntegerDepthwise,
  type IntegerConv2dAttributes,
  integerDepthwise,
  readPadded,
  requantize,
} from 'fovea/engine'
import { makePrimitive, type OwnLower } from './primitive.js'

/** Two products with such a weight still fit into the 16 bits in which some processors add them: 2·255·64 < 2¹⁵. */
const LARGEST_IN_16_BITS = 64

export const integerConv2d: OwnLower = (own, to, node, whole) => {
  if (hasIntegerDepthwise(node)) return integerDepthwise(to, node)
  const [, weight] = node.inputs
  const { groups, largest } = node.attrs as unknown as IntegerConv2dAttributes
  const depthwise = groups > 1 && weight.type.shape[1] === 1
  const overflows = largest > LARGEST_IN_16_BITS && own.capabilities.overflows(depthwise)
  const type = overflows ? 'float32' : 'uint8'
  const primitive = makePrimitive(own, to, whole, () => ({ type, activation: 'none', sum: false }))
  const count = elements(geometryOf(node).x)
  let input = readPadded(to, node)
  if (overflows) {
    const wide = to.temporary(4 * count)
    to.kernel('cast', { x: input, y: wide, elements: count, from: 'uint8', to: 'float32' })
    input = wide
  }
  const sums = to.temporary(4 * elements(node.outputs[0].shape))
  to.runPrimitive(primitive, [input, to.read(weight, primitive.weights.layout, groups), undefined], [sums])
  requantize(to, node, sums, overflows ? 'float32' : 'int32')
}
