/**
 * @file The part of the table of kernels (table.ts) that is convolutions in float32 and in integers: for targets that compute them by
 * kernels of ours (convolutions/). A linear layer is a convolution of images of one pixel.
 */
import { images, large, rows } from './extents.js'
import { activation, count, flag, optional, partial, partials, read, scratch, size, write } from './field.js'
import { requantized, requantizing } from './integer-kernels.js'

/** Channels that a panel of packed weights holds side by side. */
const panel = 8
/** Pixels whose sums in integers are in the cache at a time, at most. */
const pixelsAtOnce = 24

/** Where windows lie, and the channels of a group: those of x, those of y. */
const windows = {
  ...images,
  ...{
    kernelHeight: size,
    kernelWidth: size,
    dilationY: size,
    dilationX: size,
    groups: size,
    inputs: size,
    outputs: size,
  },
} as const
const taps = 'kernelHeight * kernelWidth'
const results = 'images * outHeight * outWidth * groups * outputs'
/** A row for each channel that is read, a column for each that is written. */
const packed = (rows: string, columns: string) => `groups * ${taps} * ${rows} * up(${columns}, ${panel})`
/** Places of windows, and zeros for what lies outside. */
const room = (channels: string) => scratch('byte', `256 * ${taps} + 4 * kernelWidth * ${channels}`)

/** Of one filter a channel; weights lie [taps, channels]. */
const depthwise = {
  ...images,
  ...{ kernelHeight: size, kernelWidth: size, dilationY: size, dilationX: size },
} as const
const results1 = 'images * outHeight * outWidth * channels'
const taps1 = `${taps} * channels`
const room1 = scratch('byte', `96 * ${taps} + 4 * channels`)

/** By taps, inputs and outputs; then of the bias. */
const sums = (of: string) => `groups * (${of} * inputs + 1) * up(outputs, ${panel})`

/** By name. */
export const convolutionKernels = {
  // y = activation(convolution + bias + residual)
  convolution: {
    ...{ x: read('float32', large), weights: read('float32', packed('inputs', 'outputs')) },
    ...{ bias: optional(read('float32', 'groups * outputs')), residual: optional(read('float32', results)) },
    ...{ y: write('float32', results), room: room('inputs'), ...windows, activation },
  },
  convolutionInputGradient: {
    ...{ dy: read('float32', results), weights: read('float32', packed('outputs', 'inputs')) },
    ...{ dx: write('float32', large), room: room('outputs'), ...windows },
  },
  // bias: whether its gradient is summed up too. A block: so many rows and columns of the output
  convolutionWeightGradient: {
    ...{ x: read('float32', large), dy: read('float32', results), sums: partial('float32', sums(taps)) },
    ...{ ...windows, bias: flag, blockRows: size, blockColumns: size },
  },
  convolutionWeightGradientMerge: {
    sums: partials('float32', sums('taps')),
    dw: write('float32', 'groups * outputs * inputs * taps'),
    db: optional(write('float32', 'groups * outputs')),
    ...{ groups: size, inputs: size, outputs: size, taps: size },
  },
  depthwiseConvolution: {
    ...{ x: read('float32', large), weights: read('float32', taps1) },
    ...{ bias: optional(read('float32', 'channels')), residual: optional(read('float32', results1)) },
    ...{ y: write('float32', results1), room: room1, ...depthwise, activation },
  },
  depthwiseInputGradient: {
    ...{ dy: read('float32', results1), weights: read('float32', taps1), dx: write('float32', large) },
    ...{ room: room1, ...depthwise },
  },
  // x and weights: pairs of 16 bits, which `channels` and `inputs` count. padding: what lies around images. Then as requantize
  integerConvolution: {
    ...{ x: read('int32', large), weights: read('int32', packed('inputs', 'outputs')) },
    ...{ ...requantized('groups * outputs', results), room: room('inputs') },
    ...{ sums: scratch('int32', `${pixelsAtOnce} * groups * outputs`), ...windows, padding: count, ...requantizing },
  },
  // Rows of bytes as pairs of 16 bits
  integerPairs: {
    ...{ x: read('uint8', 'rows * columns'), pairs: write('int32', 'rows * quotient(columns + 1, 2)') },
    ...rows,
  },
  // Pairs of inputs, which `inputs` does not count
  packIntegerWeights: {
    weight: read('int8', 'groups * outputs * inputs * taps'),
    packed: write('int32', `groups * taps * quotient(inputs + 1, 2) * up(outputs, ${panel})`),
    ...{ groups: size, inputs: size, outputs: size, taps: size },
  },
  // transposed: for the gradient by the input
  packWeights: {
    weight: read('float32', 'groups * outputs * inputs * taps'),
    packed: write(
      'float32',
      `groups * taps * choose(transposed, outputs * up(inputs, ${panel}), inputs * up(outputs, ${panel}))`,
    ),
    ...{ groups: size, inputs: size, outputs: size, taps: size, transposed: flag },
  },
} as const
