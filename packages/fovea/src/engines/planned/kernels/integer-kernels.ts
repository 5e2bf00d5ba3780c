/** @file The part of the table of kernels (table.ts) that is about integers, and about floats that are rounded as integers will be. */
import { cells, images, large, pooled, rows } from './extents.js'
import {
  activation,
  count,
  dims,
  flag,
  floatType,
  integerType,
  number,
  optional,
  quantizedType,
  read,
  resultType,
  scratch,
  size,
  strides,
  sumType,
  write,
} from './field.js'

const quantized = 'outer * channels * inner'

/** What becomes of sums of products of integers: y = activation((sums + bias)·scale + residual), as what its type and scale say. */
export const requantized = (channels: string, results: string) =>
  ({
    ...{ scale: read('float32', channels), bias: read('int32', channels) },
    ...{ residual: optional(read('uint8', results)), y: write('to', results) },
  }) as const
export const requantizing = {
  ...{ to: resultType, activation, residualZeroPoint: count, zeroPoint: count },
  ...{ residualScale: number, outputScale: number },
} as const

/** By name. */
export const integerKernels = {
  // y = (x − zeroPoint)·scale. `inner` elements in a row have the scale of one channel
  dequantize: {
    ...{ x: read('from', quantized), scale: read('float32', 'channels') },
    ...{ zeroPoint: optional(read('from', 'channels')), y: write('float32', quantized) },
    ...{ outer: size, channels: size, inner: size, from: integerType },
  },
  // extents: how far each image goes below and above 0
  extentByImage: {
    ...{ x: read('type', 'images * perImage'), extents: write('float32', '2 * images') },
    ...{ images: size, perImage: size, type: floatType },
  },
  // extent: how far x goes below and above 0
  fakeQuantize: {
    ...{ x: read('type', 'elements'), extent: read('float32', '2'), y: write('type', 'elements') },
    ...{ elements: count, type: floatType },
  },
  fakeQuantizeGradient: {
    ...{ dy: read('type', 'elements'), x: read('type', 'elements'), extent: read('float32', '2') },
    ...{ dx: write('type', 'elements'), elements: count, type: floatType },
  },
  // largest: the integer of a channel's largest weight; block: so many channels lie side by side, in [channels / block, perChannel, block]
  fakeQuantizeWeights: {
    // A block that does not divide the channels needs more than there is.
    weight: read('float32', 'up(channels, block) * perChannel'),
    y: write('float32', 'up(channels, block) * perChannel'),
    ...{ channels: size, perChannel: size, block: size, largest: size },
  },
  // folded = bias − zeroPoint·Σ weight
  foldZeroPoint: {
    ...{ weight: read('int8', 'channels * perChannel'), bias: read('int32', 'channels') },
    ...{ folded: write('int32', 'channels'), channels: size, perChannel: size, zeroPoint: count },
  },
  // y = a + b, or 0 where that is less and `relu` is set. A factor makes steps of the result of an input's
  integerAdd: {
    ...{ a: read('uint8', 'reach(dims, aStrides)'), b: read('uint8', 'reach(dims, bStrides)') },
    ...{ y: write('uint8', 'product(dims)'), dims, aStrides: strides, bStrides: strides },
    ...{ aZeroPoint: count, bZeroPoint: count, zeroPoint: count, relu: flag, aFactor: number, bFactor: number },
  },
  // padding stands for 0
  integerAveragePool: {
    ...{ x: read('uint8', large), y: write('uint8', pooled), ...images, kernelHeight: size, kernelWidth: size },
    ...{ countPadding: flag, inputZeroPoint: count, zeroPoint: count, inputScale: number, outputScale: number },
  },
  // kernel: 3, 5 or 7, wide and high; `block` channels at once; padding: what is around images. Then as requantize
  integerDepthwise: {
    ...{ x: read('uint8', large), weight: read('int8', 'channels * kernel * kernel') },
    ...{ ...requantized('channels', pooled), ...images, kernel: size, block: size, padding: count },
    table: scratch('float32', 'kernel * kernel * up(channels, tileLanes)'),
    rows: scratch('float32', `((kernel + 1) * ((outWidth - 1) * strideX + kernel) + outWidth) * block`),
    ...requantizing,
  },
  // y = a·b. factor: steps of the result in a product of the inputs' steps
  integerMultiply: {
    ...{ a: read('uint8', 'reach(dims, aStrides)'), b: read('uint8', 'reach(dims, bStrides)') },
    ...{ y: write('uint8', 'product(dims)'), dims, aStrides: strides, bStrides: strides },
    ...{ aZeroPoint: count, bZeroPoint: count, zeroPoint: count, factor: number },
  },
  // y = x / scale + zeroPoint, as the nearest integer
  quantize: {
    ...{ x: read('from', quantized), scale: read('float32', 'channels') },
    ...{ zeroPoint: optional(read('to', 'channels')), y: write('to', quantized) },
    ...{ outer: size, channels: size, inner: size, from: floatType, to: quantizedType },
  },
  // y = a·b / outputScale + zeroPoint, as the nearest integer
  quantizedProduct: {
    ...{ a: read('float32', 'reach(dims, aStrides)'), b: read('float32', 'reach(dims, bStrides)') },
    ...{ y: write('uint8', 'product(dims)'), dims, aStrides: strides, bStrides: strides },
    ...{ zeroPoint: count, outputScale: number },
  },
  requantize: {
    ...{ sums: read('from', cells), ...requantized('columns', cells), ...rows, from: sumType, ...requantizing },
  },
} as const
