/**
 * @file The part of the table of kernels (table.ts) that is convolutions in float32: for targets that compute them by kernels of
 * ours, as WebAssembly does (fovea-wasm/native). A linear layer is a convolution of images of one pixel.
 */
import { images, large } from './extents.js'
import { activation, count, flag, optional, partial, partials, read, scratch, size, write } from './field.js'

/** Channels that a panel of packed weights holds side by side. */
const panel = 8

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
const room = (channels: string) => scratch('byte', `128 * ${taps} + 4 * kernelWidth * ${channels}`)

/** Of one filter a channel; weights lie [taps, channels]. */
const depthwise = {
  ...images,
  ...{ kernelHeight: size, kernelWidth: size, dilationY: size, dilationX: size },
} as const
const results1 = 'images * outHeight * outWidth * channels'
const taps1 = `${taps} * channels`
const room1 = scratch('byte', `32 * ${taps} + 4 * channels`)

/** By taps, inputs and outputs; then of the bias. */
const sums = (of: string) => `groups * (${of} * inputs + 1) * up(outputs, ${panel})`

/** Of 3×3 windows, one pixel apart, in tiles of 2×2 results that see 4×4 numbers; channels are whole panels. */
const winograd = {
  ...{ images: size, height: size, width: size, outHeight: size, outWidth: size, top: count, left: count },
  ...{ inputs: size, outputs: size },
} as const
const seen = 'images * height * width * inputs'
const given = 'images * outHeight * outWidth * outputs'
const places = 16
/** Transformed numbers of so many tiles at once. What is of one place lies a cache line off: powers of two would share a few lines. */
const transformed = (channels: string) => `${places} * (32 * ${channels} + 16)`
/** By places, inputs and outputs; then of the bias. */
const transformedSums = `(${places} * inputs + 1) * outputs`

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
  // transposed: for the gradient by the input
  packWeights: {
    weight: read('float32', 'groups * outputs * inputs * taps'),
    packed: write(
      'float32',
      `groups * taps * choose(transposed, outputs * up(inputs, ${panel}), inputs * up(outputs, ${panel}))`,
    ),
    ...{ groups: size, inputs: size, outputs: size, taps: size, transposed: flag },
  },
  // y = activation(convolution + bias + residual)
  winogradConvolution: {
    ...{ x: read('float32', seen), weights: read('float32', `${places} * inputs * outputs`) },
    ...{
      bias: optional(read('float32', 'outputs')),
      residual: optional(read('float32', given)),
      y: write('float32', given),
    },
    room: scratch('float32', `${transformed('inputs')} + ${transformed(String(panel))} + ${places} * inputs`),
    ...{ ...winograd, activation },
  },
  winogradWeightGradient: {
    ...{ x: read('float32', seen), dy: read('float32', given) },
    sums: partial('float32', transformedSums),
    room: scratch('float32', `${transformed('inputs')} + ${transformed('outputs')} + ${places} * inputs`),
    ...{ ...winograd, bias: flag },
  },
  winogradWeightGradientMerge: {
    ...{ sums: partials('float32', transformedSums), dw: write('float32', '9 * outputs * inputs') },
    ...{ db: optional(write('float32', 'outputs')), inputs: size, outputs: size },
  },
  // transposed: for the gradient by the input
  winogradWeights: {
    ...{ weight: read('float32', '9 * outputs * inputs'), packed: write('float32', `${places} * outputs * inputs`) },
    ...{ inputs: size, outputs: size, transposed: flag },
  },
} as const
