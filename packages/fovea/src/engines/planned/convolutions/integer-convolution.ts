/** @file Convolutions in integers (native/kernels/integer_convolution.h): exact sums in int32, and all that follows. */
import { elements } from '../../../graph/types.js'
import type { IntegerConv2dAttributes } from '../../../ops/integer-conv2d.js'
import type { Lower } from '../operators/operator.js'
import { hasIntegerDepthwise, integerDepthwise, requantized } from '../operators/quantization.js'
import type { PackedWeights } from './packed-weights.js'
import { windowsOf } from './windows.js'

export const integerConv2d =
  (layouts: PackedWeights): Lower =>
  (to, node) => {
    if (hasIntegerDepthwise(node)) return integerDepthwise(to, node)
    const [x, weight] = node.inputs
    const attrs = node.attrs as unknown as IntegerConv2dAttributes
    const { groups, zeroPoint: padding = 0 } = attrs
    const [{ shape }] = node.outputs
    const windows = windowsOf({ x: x.type.shape, y: shape, weight: weight.type.shape, attrs })
    const [inputs, values] = [Math.ceil(windows.inputs / 2), elements(x.type.shape)]
    const channels = groups * inputs
    // Pairs are of one group; where none lacks its second, all groups are one row.
    const columns = windows.inputs % 2 === 0 ? windows.channels : windows.inputs
    const pairs = to.temporary((4 * channels * values) / windows.channels)
    to.kernel('integerPairs', { x: to.read(x), pairs, rows: values / columns, columns })
    const weights = to.read(weight, layouts.integerPanels(weight.type.shape, groups), groups)
    to.kernel('integerConvolution', {
      ...{ x: pairs, weights, ...requantized(to, node), ...windows, inputs, channels, padding },
    })
  }
