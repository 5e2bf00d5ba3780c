/**
 * @file The part of the table of kernels (table.ts) that is convolutions of 3×3 windows, one pixel apart, by Winograd's algorithm
 * (native/kernels/winograd.h): tiles of 4×4 results, which see 6×6 numbers. Channels are whole vectors.
 */
import { activation, count, flag, optional, partial, partials, read, scratch, size, write } from './field.js'

const windows = {
  ...{ images: size, height: size, width: size, outHeight: size, outWidth: size, top: count, left: count },
  ...{ inputs: size, outputs: size, tiles: size },
} as const
const seen = 'images * height * width * inputs'
const given = 'images * outHeight * outWidth * outputs'
const places = '(winogradResults + 2) * (winogradResults + 2)'
/** Transformed numbers of so many tiles at once: the tiles of a place lie a cache line off, and so do places. */
const transformed = (channels: string) => `${places} * (tiles * (${channels} + 16) + 16)`
const room = scratch('float32', `${transformed('inputs')} + ${transformed('outputs')} + ${places} * inputs`)
const gradientOperands = { x: read('float32', seen), dy: read('float32', given) } as const
/** By places, panels, inputs and outputs. */
const weights = `${places} * (inputs * outputs + 16)`
/** By places, inputs and outputs; then of the bias. */
const sums = `${weights} + outputs`

/** By name. */
export const winogradKernels = {
  // y = activation(convolution + bias + residual)
  winogradConvolution: {
    ...{ x: read('float32', seen), weights: read('float32', weights) },
    ...{ bias: optional(read('float32', 'outputs')), residual: optional(read('float32', given)) },
    ...{ y: write('float32', given), room, ...windows, activation },
  },
  // bias: whether its gradient is summed up too
  winogradWeightGradient: { ...gradientOperands, sums: partial('float32', sums), room, ...windows, bias: flag },
  // tiles: room for all. What a tile sees, or the sums of 128 inputs and a panel of 32 outputs
  winogradWeightGradientByOutputs: {
    ...{ ...gradientOperands, dw: write('float32', '9 * outputs * inputs'), db: optional(write('float32', 'outputs')) },
    transformed: write('float32', `${transformed('inputs')} + ${transformed('outputs')}`),
    room: scratch('float32', `${places} * max(inputs, 4112)`),
    ...windows,
  },
  winogradWeightGradientMerge: {
    ...{ sums: partials('float32', sums), dw: write('float32', '9 * outputs * inputs') },
    ...{ db: optional(write('float32', 'outputs')), inputs: size, outputs: size },
  },
  // transposed: for the gradient by the input
  winogradWeights: {
    ...{ weight: read('float32', '9 * outputs * inputs'), packed: write('float32', weights) },
    ...{ inputs: size, outputs: size, transposed: flag },
  },
} as const
