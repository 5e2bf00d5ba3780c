/**
 * @file The weight gradient of depthwise convolutions by a kernel of ours (native/kernels/depthwise.h), slice by slice:
 * oneDNN 2.6 falls back to a generic one, ten times slower, for windows of 5×5, and its own has no slices.
 */
import type { Node } from '../../../graph/graph.js'
import type { Conv2dAttributes } from '../../../ops/conv2d.js'
import { kernelBytes } from '../kernels/emit.js'
import type { Lowering } from '../lowering.js'
import { imagesOf } from './operator.js'

/** Whether the kernel takes this gradient of a convolution's weight, and of its bias: square windows, one filter a channel. */
export function hasDirectWeightGradient({ op, inputs: [x, dy], outputs, attrs }: Node): boolean {
  if (op !== 'conv2dWeightGradient') return false
  const { groups, dilation } = attrs as unknown as Conv2dAttributes
  const [, inPerGroup, kh, kw] = outputs[0].shape
  const depthwise = groups > 1 && inPerGroup === 1 && x.type.shape[3] === dy.type.shape[3]
  return depthwise && kh === kw && [3, 5, 7].includes(kh) && dilation.every(step => step === 1)
}

/** What a block takes at most, if it can: most of a first-level cache. */
const BLOCK_BYTES = 1 << 15

export function depthwiseWeightGradient(to: Lowering, node: Node): void {
  const [x, dy] = node.inputs
  const { stride, padding } = node.attrs as unknown as Conv2dAttributes
  const [channels, , kh, kw] = node.outputs[0].shape
  const taps = kh * kw
  const sums = to.partial(kernelBytes('depthwiseWeightGradientMerge', 'sums', { taps, channels }))
  const windows = { ...imagesOf(x.type.shape, dy.type.shape, stride, padding), kernel: kh, type: to.float(x.type) }
  const fits = (blockRows: number): boolean =>
    kernelBytes('depthwiseWeightGradient', 'block', { ...windows, blockRows }) <= BLOCK_BYTES
  const { outHeight } = windows
  let blocks = 1
  while (blocks < outHeight && !fits(Math.ceil(outHeight / blocks))) blocks++
  const blockRows = Math.ceil(outHeight / blocks)
  const bias = node.outputs.length > 1
  to.kernel('depthwiseWeightGradient', { x: to.read(x), dy: to.read(dy), sums, ...windows, blockRows, bias })
  const db = bias ? to.write(1) : undefined
  to.sharedKernel('depthwiseWeightGradientMerge', { sums, dw: to.write(), db, channels, taps })
}
