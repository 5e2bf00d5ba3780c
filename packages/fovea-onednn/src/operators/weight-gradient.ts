/**
 * @file The weight gradient of convolutions in bfloat16 by a kernel of ours (native/kernels/weight_gradient.h), slice by
 * slice: oneDNN 2.6 is a third slower in this direction, and has no slices.
 */
import type { Conv2dAttributes, Node } from 'fovea/engine'
import type { Arithmetic } from '../arithmetic.js'
import { aligned } from '../memory.js'
import type { Lower } from './operator.js'

/** Whether the kernel takes this gradient of a convolution's weight: bfloat16, one group, no bias, no dilation. */
export function hasPairedWeightGradient(node: Node, { pairs }: Arithmetic): boolean {
  const { op, inputs, outputs, attrs } = node
  const [x] = inputs
  if (!pairs || op !== 'conv2dWeightGradient' || outputs.length > 1 || x.type.dtype !== 'bfloat16') return false
  const { groups, dilation } = attrs as unknown as Conv2dAttributes
  return groups === 1 && dilation.every(step => step === 1)
}

const LANES = 16
/** Outputs of a tile, which a block of dy is packed by. */
const TILE_OUTPUTS = 32
/** How many pixels a block should have at least, that reading and writing the sums is little beside the products. */
const BLOCK_PIXELS = 256
/** What a packed block takes at most, if it can: half of a second-level cache. */
const BLOCK_BYTES = 1 << 19

const up = (count: number, to: number): number => Math.ceil(count / to) * to

/** How many pairs of images and rows of the output a block has, and the bytes of its two parts, packed. */
function block({ inputs: [x, dy], outputs: [weight], attrs }: Node) {
  const { stride, padding } = attrs as unknown as Conv2dAttributes
  const [outputs, inputs, ...kernel] = weight.shape
  const [images, outHeight, outWidth] = dy.type.shape
  const single = [...kernel, padding[0] + 1, padding[2] + 1].every(size => size === 1)
  // Of what such a window strides over, nothing is packed.
  const [height, width, step] = single ? [outHeight, outWidth, 1] : [...x.type.shape.slice(1, 3), stride[0]]
  const bytes = (couples: number, rows: number): number => {
    const inRows = Math.min((rows - 1) * step + kernel[0], height)
    return 4 * couples * (inRows * width * up(inputs, LANES) + rows * outWidth * up(outputs, TILE_OUTPUTS))
  }
  let rows = Math.min(outHeight, Math.ceil(BLOCK_PIXELS / outWidth))
  const whole = Math.max(1, Math.floor(BLOCK_PIXELS / (outWidth * outHeight)))
  let couples = rows < outHeight ? 1 : Math.min(Math.ceil(images / 2), whole)
  while (couples > 1 && bytes(couples, rows) > BLOCK_BYTES) couples--
  while (rows > 1 && bytes(couples, rows) > BLOCK_BYTES) rows--
  return { couples, rows, bytes: bytes(couples, rows) }
}

export const pairedWeightGradient: Lower = (to, node) => {
  const [x, dy] = node.inputs
  const { stride, padding } = node.attrs as unknown as Conv2dAttributes
  const [outputs, , kh, kw] = node.outputs[0].shape
  const [, height, width] = dy.type.shape
  const { couples, rows, bytes } = block(node)
  const window = [kh, kw, ...stride, padding[0], padding[2]]
  const ints = [...x.type.shape, height, width, ...window, outputs, couples, rows]
  const tiled = to.layouts.tiled(node.outputs[0])
  const partial = to.partial(tiled.bytes)
  const packed = to.scratch(aligned(bytes))
  to.kernel('weightGradient', { reads: [to.read(x), to.read(dy)], writes: [partial, packed], ints })
  const merge = { reads: [partial], writes: [to.write(0, tiled.layout, tiled.bytes)], ints: [tiled.bytes / 4] }
  to.sharedKernel('weightGradientMerge', merge)
}
