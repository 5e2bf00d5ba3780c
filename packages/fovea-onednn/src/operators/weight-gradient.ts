/**
 * @file The weight gradient of convolutions in bfloat16 by a kernel of ours (native/kernels/weight_gradient.h), slice by
 * slice: oneDNN 2.6 is a third slower in this direction, and has no slices.
 */
import { type Conv2dAttributes, imagesOf, kernelBytes, type Lowering, type Node } from 'fovea/engine'
import type { Capabilities } from '../capabilities.js'
import type { OnednnTarget } from '../onednn-target.js'

/** Whether the kernel takes this gradient of a convolution's weight: bfloat16, one group, no bias, no dilation. */
export function hasPairedWeightGradient(node: Node, { pairs }: Capabilities): boolean {
  const { op, inputs, outputs, attrs } = node
  const [x] = inputs
  if (!pairs || op !== 'conv2dWeightGradient' || outputs.length > 1 || x.type.dtype !== 'bfloat16') return false
  const { groups, dilation } = attrs as unknown as Conv2dAttributes
  return groups === 1 && dilation.every(step => step === 1)
}

/** How many pixels a block should have at least, that reading and writing the sums is little beside the products. */
const BLOCK_PIXELS = 256
/** What a packed block takes at most, if it can: half of a second-level cache. */
const BLOCK_BYTES = 1 << 19

/** What the kernel is told of its windows, and how many pairs of images and rows of the output a block has. */
function blocksOf({ inputs: [x, dy], outputs: [weight], attrs }: Node) {
  const { stride, padding } = attrs as unknown as Conv2dAttributes
  const [outputs, , kernelHeight, kernelWidth] = weight.shape
  const images = imagesOf(x.type.shape, dy.type.shape, stride, padding)
  const { outHeight, outWidth, top, left } = images
  // Of what such a window strides over, nothing is packed.
  const onePixel = kernelHeight === 1 && kernelWidth === 1 && top === 0 && left === 0
  const windows = { ...images, kernelHeight, kernelWidth, onePixel, outputs }
  const bytes = (): number => kernelBytes('weightGradient', 'packed', { ...windows, blockPairs, blockRows })
  let blockRows = Math.min(outHeight, Math.ceil(BLOCK_PIXELS / outWidth))
  const whole = Math.max(1, Math.floor(BLOCK_PIXELS / (outWidth * outHeight)))
  let blockPairs = blockRows < outHeight ? 1 : Math.min(Math.ceil(images.images / 2), whole)
  while (blockPairs > 1 && bytes() > BLOCK_BYTES) blockPairs--
  while (blockRows > 1 && bytes() > BLOCK_BYTES) blockRows--
  return { ...windows, blockPairs, blockRows }
}

export function pairedWeightGradient({ layouts }: OnednnTarget, to: Lowering, node: Node): void {
  const [x, dy] = node.inputs
  const { layout, bytes } = layouts.tiled(node.outputs[0])
  const sums = to.partial(bytes)
  to.kernel('weightGradient', { x: to.read(x), dy: to.read(dy), sums, ...blocksOf(node) })
  to.sharedKernel('weightGradientMerge', { sums, dw: to.write(0, layout, bytes), elements: bytes / 4 })
}
