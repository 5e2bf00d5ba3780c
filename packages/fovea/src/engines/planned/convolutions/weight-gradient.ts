/** @file The gradient of a convolution by its weights: threads and slices add up, and a step on the whole joins what they have. */
import { elements } from '../../../graph/types.js'
import { kernelBytes } from '../kernels/emit.js'
import { depthwiseWeightGradient, hasDirectWeightGradient } from '../operators/depthwise.js'
import { geometryOf } from '../operators/geometry.js'
import type { Lower } from '../operators/operator.js'
import { widen } from '../operators/widen.js'
import { winogradWeightGradient } from '../operators/winograd.js'
import { gainsByWinograd, TILES, windowsOf } from './windows.js'

/** What a block of pixels takes at most, if it can: half of a first-level cache. */
const BLOCK_BYTES = 24 << 10
/** With fewer pixels, reading and writing the sums takes longer than the products. */
const FEWEST_PIXELS = 32

export const weightGradient: Lower = (to, node) => {
  if (hasDirectWeightGradient(node)) return depthwiseWeightGradient(to, node)
  const geometry = geometryOf(node)
  if (gainsByWinograd(geometry, to.graph)) return winogradWeightGradient(to, node, geometry, TILES)
  const windows = windowsOf(geometry)
  const { groups, inputs, outputs, outWidth, outHeight, kernelHeight, kernelWidth } = windows
  const fitting = Math.floor(BLOCK_BYTES / (4 * groups * (inputs + outputs)))
  const pixels = Math.max(fitting, FEWEST_PIXELS)
  const blockColumns = Math.min(outWidth, pixels)
  const blockRows = Math.min(outHeight, Math.max(1, Math.floor(pixels / outWidth)))
  const taps = elements([kernelHeight, kernelWidth])
  const [x, dy] = node.inputs
  const sums = to.partial(kernelBytes('convolutionWeightGradientMerge', 'sums', { groups, inputs, outputs, taps }))
  to.kernel('convolutionWeightGradient', {
    ...{ x: widen(to, x), dy: widen(to, dy), sums, ...windows, bias: geometry.bias, blockRows, blockColumns },
  })
  to.sharedKernel('convolutionWeightGradientMerge', {
    ...{ sums, dw: to.write(0), db: geometry.bias ? to.write(1) : undefined, groups, inputs, outputs, taps },
  })
}
