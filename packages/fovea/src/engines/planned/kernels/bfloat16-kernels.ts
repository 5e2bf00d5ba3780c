/**
 * @file The part of the table of kernels (table.ts) that is gradients of weights by products of bfloat16, which some processors have:
 * in pairs, or on tiles of matrices.
 */
import { images, large } from './extents.js'
import { count, flag, partial, partials, read, scratch, size, write } from './field.js'

/** Outputs of a row in a packed block, and its inputs: what a window of one pixel strides over is left out. */
const packedRows =
  'min((blockRows - 1) * choose(onePixel, 1, strideY) + kernelHeight, choose(onePixel, outHeight, height))'
const windowLine = '((outWidth * strideX + kernelWidth) * channels + tileLanes)'
const packedInputs = `${packedRows} * choose(rowTaps, ${windowLine}, choose(onePixel, outWidth, width) * up(channels, tileLanes))`
const packedOutputs = 'blockRows * outWidth * up(outputs, tileOutputs)'

/** Pairs of a block on tiles, in whole tiles, and what windows reach beyond it: in each plane of pixels that strides leave apart. */
const tilePairs = 'up(blockRows * (outWidth + gap) * blockPairs, tileLanes)'
const tileWidth = 'choose(rowTaps, 1, kernelWidth)'
const tileChannels = 'up(choose(rowTaps, kernelWidth, 1) * channels, tileLanes)'
const tileReach = `quotient(kernelHeight - 1, strideY) * (outWidth + gap) + quotient(${tileWidth} - 1, strideX)`
const tilePlanes = `min(strideY, kernelHeight) * min(strideX, ${tileWidth})`
const tileInputs = `${tileChannels} * ${tilePlanes} * (${tilePairs} + (${tileReach}) * blockPairs)`
const tileOutputs = `3 * tileLanes * ${tilePairs}`
const tilePacked = scratch('int32', `${tileInputs} + ${tileOutputs} + rowTaps * ${windowLine}`)
const tileSums = `up(outputs, tileLanes) * ${tileChannels} * kernelHeight * ${tileWidth}`
const tileOperands = { x: read('bfloat16', large), dy: read('bfloat16', 'images * outHeight * outWidth * outputs') }
/** A block: so many pairs of images, and rows of the output, which lie `gap` pixels apart. rowTaps: see the kernel. */
const tileWindows = {
  ...{ ...images, kernelHeight: size, kernelWidth: size, outputs: size },
  ...{ blockPairs: size, blockRows: size, gap: count, rowTaps: flag },
}

/** By name. */
export const bfloat16Kernels = {
  // Adds to sums what slices of the batch give
  tileWeightGradient: { ...tileOperands, sums: partial('float32', tileSums), packed: tilePacked, ...tileWindows },
  // Writes dw; packed holds a block for each thread
  tileWeightGradientByOutputs: { ...tileOperands, dw: write('float32', tileSums), packed: tilePacked, ...tileWindows },
  // byInputs: what lies in a tile one after the other
  rowTapsMerge: {
    sums: partials('float32', `up(outputs, tileLanes) * up(kernelWidth * channels, tileLanes) * kernelHeight`),
    dw: write('float32', 'outputs * channels * kernelHeight * kernelWidth'),
    ...{ outputs: size, channels: size, kernelHeight: size, kernelWidth: size, byInputs: flag },
  },
  // onePixel: a window of one pixel without padding. A block: so many pairs of images, and rows of the output
  weightGradient: {
    x: read(
      'bfloat16',
      `max(${large}, onePixel * ((outHeight - 1) * strideY * width + outWidth * strideX) * channels)`,
    ),
    dy: read('bfloat16', 'images * outHeight * outWidth * outputs'),
    sums: partial('float32', tileSums),
    packed: scratch('int32', `blockPairs * (${packedInputs} + ${packedOutputs})`),
    ...{ ...images, kernelHeight: size, kernelWidth: size, onePixel: flag, outputs: size },
    ...{ blockPairs: size, blockRows: size, rowTaps: flag },
  },
  weightGradientMerge: { sums: partials('float32', 'elements'), dw: write('float32', 'elements'), elements: count },
} as const
