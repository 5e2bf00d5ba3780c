/**
 * @file The weight gradient of convolutions in bfloat16 on matrix tiles (native/kernels/tile_weight_gradient.h): how the kernel
 * takes the pixels apart into blocks.
 */
import { elements, kernelBytes, kernelConstants, type Node, tensorBytes } from 'fovea/engine'
import type { Windows } from './weight-gradient.js'

/** What a packed block takes at most, if it can: a fifth of a second-level cache. */
const BLOCK_BYTES = 3 << 17
/** The same where each block reads and writes outputs that are larger than images: most of that cache. */
const LARGE_BLOCK_BYTES = 3 << 19

/**
 * How many pixels rows have to lie apart, that a window which reaches beyond its row sees zeros: those of the padding before
 * the next row serve as those behind this one.
 */
function gapOf({ width, outWidth, kernelWidth, strideX, left }: Windows): number {
  const reach = Math.floor((kernelWidth - 1) / strideX)
  const phases = Array.from({ length: Math.min(strideX, kernelWidth) }, (_, phase) => phase - left)
  const isEnough = (gap: number): boolean =>
    phases.every(phase => {
      const beyond = (outWidth + gap) * strideX + phase
      const next = (reach - gap - 1) * strideX + phase
      return beyond >= width && next < 0
    })
  let gap = 0
  while (gap < reach && !isEnough(gap)) gap++
  return gap
}

/** Whether the pixels that a row of a window sees count as channels of one: where that takes half of the tiles or less. */
export function tapsAreRows(node: Node): boolean {
  const [, channels, , kernelWidth] = node.outputs[0].shape
  const tiles = (inputs: number): number => Math.ceil(inputs / kernelConstants.tileLanes)
  return 2 * tiles(channels * kernelWidth) <= tiles(channels) * kernelWidth && !sharesOutputs(node)
}

/**
 * Whether threads share outputs instead of images: where weights, of which each thread would have sums of its own, are larger than
 * the images, which each thread then packs for itself.
 */
export function sharesOutputs({ inputs, outputs: [weight] }: Node): boolean {
  return 4 * elements(weight.shape) > inputs.reduce((sum, { type }) => sum + tensorBytes(type), 0)
}

/** Those pairs of images and rows of the output that make up a block, in as equal parts as can be, and the gap between rows. */
export function tileBlocks(windows: Windows, { byOutputs = false, rowTaps = false } = {}) {
  const { images, outHeight } = windows
  const gap = rowTaps ? 0 : gapOf(windows)
  const pairs = Math.ceil(images / 2)
  const most = byOutputs ? LARGE_BLOCK_BYTES : BLOCK_BYTES
  const of = (pairParts: number, rowParts: number) => ({
    ...{ ...windows, gap, rowTaps },
    ...{ blockPairs: Math.ceil(pairs / pairParts), blockRows: Math.ceil(outHeight / rowParts) },
  })
  const fits = (pairParts: number, rowParts: number): boolean =>
    kernelBytes('tileWeightGradient', 'packed', of(pairParts, rowParts)) <= most
  let [pairParts, rowParts] = [1, 1]
  while (pairParts < pairs && !fits(pairParts, rowParts)) pairParts++
  while (rowParts < outHeight && !fits(pairParts, rowParts)) rowParts++
  return of(pairParts, rowParts)
}
