/**
 * @file The weight gradient of convolutions in bfloat16 by kernels of ours, slice by slice, as oneDNN has no slices: by dot products
 * of pairs (native/kernels/weight_gradient.h), where oneDNN 2.6 is a third slower, or on matrix tiles (tile_weight_gradient.h).
 */
import { type Conv2dAttributes, imagesOf, kernelBytes, type Lowering, type Node, type Operand } from 'fovea/engine'
import type { Capabilities } from '../capabilities.js'
import type { OnednnTarget } from '../onednn-target.js'
import { sharesOutputs, tapsAreRows, tileBlocks } from './tile-weight-gradient.js'

/** Whether a kernel takes this gradient of a convolution's weight: bfloat16, one group, no bias, no dilation. */
export function hasOwnWeightGradient(node: Node, { weightGradient }: Capabilities): boolean {
  const { op, inputs, outputs, attrs } = node
  const [x] = inputs
  if (weightGradient === undefined || op !== 'conv2dWeightGradient') return false
  if (outputs.length > 1 || x.type.dtype !== 'bfloat16') return false
  const { groups, dilation } = attrs as unknown as Conv2dAttributes
  return groups === 1 && dilation.every(step => step === 1)
}

/** The layout in which the kernel leaves the gradient, but where rows are taps. */
export const gradientTiles = ({ layouts, capabilities }: OnednnTarget, { outputs: [weight] }: Node) =>
  layouts.tiled(weight, capabilities.weightGradient === 'tiles' ? 'outputs by inputs' : 'inputs by outputs')

function windowsOf({ inputs: [x, dy], outputs: [weight], attrs }: Node) {
  const { stride, padding } = attrs as unknown as Conv2dAttributes
  const [outputs, , kernelHeight, kernelWidth] = weight.shape
  return { ...imagesOf(x.type.shape, dy.type.shape, stride, padding), kernelHeight, kernelWidth, outputs }
}

export type Windows = ReturnType<typeof windowsOf>

/** Whether it adds up slices of the batch. */
export const addsUpSlices = (node: Node, capabilities: Capabilities): boolean =>
  hasOwnWeightGradient(node, capabilities) && !(capabilities.weightGradient === 'tiles' && sharesOutputs(node))

export function ownWeightGradient(own: OnednnTarget, to: Lowering, node: Node, whole: Node): void {
  const [x, dy] = node.inputs
  const operands = { x: to.read(x), dy: to.read(dy) }
  const windows = windowsOf(node)
  const inTiles = own.capabilities.weightGradient === 'tiles'
  const addUp = (sums: Operand, rowTaps: boolean): void =>
    inTiles
      ? to.kernel('tileWeightGradient', { ...operands, sums, ...tileBlocks(windows, { rowTaps }) })
      : to.kernel('weightGradient', { ...operands, sums, ...pairBlocks(windows, rowTaps) })
  if (tapsAreRows(whole)) {
    const { outputs, channels, kernelHeight, kernelWidth } = windows
    const sizes = { outputs, channels, kernelHeight, kernelWidth, byInputs: !inTiles }
    const sums = to.partial(kernelBytes('rowTapsMerge', 'sums', sizes))
    addUp(sums, true)
    to.sharedKernel('rowTapsMerge', { sums, dw: to.write(), ...sizes })
    return
  }
  const { layout, bytes } = gradientTiles(own, node)
  if (!addsUpSlices(whole, own.capabilities)) {
    const dw = to.write(0, layout, bytes)
    to.kernel('tileWeightGradientByOutputs', { ...operands, dw, ...tileBlocks(windows, { byOutputs: true }) })
    return
  }
  const sums = to.partial(bytes)
  addUp(sums, false)
  to.sharedKernel('weightGradientMerge', { sums, dw: to.write(0, layout, bytes), elements: bytes / 4 })
}

/** How many pixels a block should have at least, that reading and writing the sums is little beside the products. */
const BLOCK_PIXELS = 256
/** What a packed block takes at most, if it can: half of a second-level cache. */
const BLOCK_BYTES = 1 << 19

/** What the kernel of pairs is told: how many pairs of images and rows of the output a block has. */
function pairBlocks(images: Windows, rowTaps: boolean) {
  const { outHeight, outWidth, kernelHeight, kernelWidth, top, left } = images
  // Of what such a window strides over, nothing is packed.
  const onePixel = kernelHeight === 1 && kernelWidth === 1 && top === 0 && left === 0
  const windows = { ...images, onePixel, rowTaps }
  const bytes = (): number => kernelBytes('weightGradient', 'packed', { ...windows, blockPairs, blockRows })
  let blockRows = Math.min(outHeight, Math.ceil(BLOCK_PIXELS / outWidth))
  const whole = Math.max(1, Math.floor(BLOCK_PIXELS / (outWidth * outHeight)))
  let blockPairs = blockRows < outHeight ? 1 : Math.min(Math.ceil(images.images / 2), whole)
  while (blockPairs > 1 && bytes() > BLOCK_BYTES) blockPairs--
  while (blockRows > 1 && bytes() > BLOCK_BYTES) blockRows--
  return { ...windows, blockPairs, blockRows }
}
