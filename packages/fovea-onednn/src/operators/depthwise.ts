/**
 * @file The weight gradient of depthwise convolutions by a kernel of ours (native/kernels/depthwise.h), slice by slice:
 * oneDNN 2.6 falls back to a generic one, ten times slower, for windows of 5×5, and its own has no slices.
 */
import { type Conv2dAttributes, elements, type Node } from 'fovea/engine'
import { aligned } from '../memory.js'
import type { Lower } from './operator.js'

/** Whether the kernel takes this gradient of a convolution's weight: square windows, one filter a channel, no bias. */
export function hasDirectWeightGradient({ op, inputs: [x, dy], outputs, attrs }: Node): boolean {
  if (op !== 'conv2dWeightGradient' || outputs.length > 1) return false
  const { groups, dilation } = attrs as unknown as Conv2dAttributes
  const [, inPerGroup, kh, kw] = outputs[0].shape
  const depthwise = groups > 1 && inPerGroup === 1 && x.type.shape[3] === dy.type.shape[3]
  return depthwise && kh === kw && [3, 5, 7].includes(kh) && dilation.every(step => step === 1)
}

export const depthwiseWeightGradient: Lower = (to, node) => {
  const [x, dy] = node.inputs
  const { stride, padding } = node.attrs as unknown as Conv2dAttributes
  const [channels, , kh, kw] = node.outputs[0].shape
  const [, height, width] = dy.type.shape
  const spread = Math.ceil(channels / 16) * 16
  const partial = to.partial(aligned(4 * kh * kw * spread))
  const rows = to.scratch(aligned(4 * (kh * x.type.shape[2] + width) * spread))
  const window = [kh, kw, ...stride, padding[0], padding[2]]
  const ints = [...x.type.shape, height, width, ...window, to.float(x.type)]
  to.kernel('depthwiseWeightGradient', { reads: [to.read(x), to.read(dy)], writes: [partial, rows], ints })
  const merge = { reads: [partial], writes: [to.write()], ints: [channels, elements([kh, kw])] }
  to.sharedKernel('depthwiseWeightGradientMerge', merge)
}
