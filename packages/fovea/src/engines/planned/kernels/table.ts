/**
 * @file The table of our kernels, and all that crosses to C++: for each, its fields in their order. fovea-onednn/native/kernels
 * has a function for each, by the same name, which reads them by name. Sizes of buffers are in elements, of one slice where a
 * step is sliced.
 */
import { bfloat16Kernels } from './bfloat16-kernels.js'
import { convolutionKernels } from './convolution-kernels.js'
import { cells, images, large, pooled, rows } from './extents.js'
import {
  activation,
  anyType,
  binaryOperation,
  count,
  dims,
  type Field,
  flag,
  floatType,
  movedType,
  number,
  optional,
  partial,
  partials,
  read,
  reduction,
  scratch,
  size,
  strides,
  write,
} from './field.js'
import { integerKernels } from './integer-kernels.js'
import { winogradKernels } from './winograd-kernels.js'

/** What sizes refer to, and the kernels too. */
export const constants = {
  /** Columns of the result that `reduce` computes at once. */
  reduceColumns: 1024,
  /** Tiles of `weightGradient` are of so many numbers, and so many outputs, whatever a register holds. */
  tileLanes: 16,
  tileOutputs: 32,
  /** Numbers before those by channel in what a thread has seen of the batch: they take a cache line. */
  partialHeader: 8,
  /** Results of a tile by Winograd's algorithm, wide and high. */
  winogradResults: 4,
} as const

const scalar = (type = 'float32') => read(type, '1')

/** A pass over images by channel. */
const pass = { elements: count, channels: size, type: floatType } as const
const tables = (role: typeof read | typeof write, each: number) => role('float32', `${each} * spread(channels)`)
const seen = '8 * partialHeader + 16 * channels'
/** Two sums in double and a float, by column. */
const columns = scratch('byte', '20 * spread(channels)')

const pool = { ...images, kernelHeight: size, kernelWidth: size, type: floatType } as const
/** Indices of classes, or a number for each class. */
const labels = read('byte', '4 * rows * (1 + softLabels * (columns - 1))')

export const kernels = {
  ...integerKernels,
  ...convolutionKernels,
  // sum' = first ? value : sum + value
  accumulate: {
    ...{ sum: read('float32', 'elements'), value: read('float32', 'elements'), first: scalar() },
    ...{ nextSum: write('float32', 'elements'), elements: count },
  },
  activation: {
    ...{ x: read('type', 'elements'), y: write('type', 'elements') },
    ...{ elements: count, type: floatType, activation },
  },
  activationGradient: {
    ...{ dy: read('type', 'elements'), x: read('type', 'elements'), dx: write('type', 'elements') },
    ...{ elements: count, type: floatType, activation },
  },
  adam: {
    ...{ parameter: read('float32', 'elements'), gradient: read('float32', 'elements') },
    ...{ scale: scalar(), rate: scalar(), step: scalar() },
    ...{ mean: read('float32', 'elements'), square: read('float32', 'elements') },
    ...{ nextParameter: write('float32', 'elements'), nextMean: write('float32', 'elements') },
    ...{ nextSquare: write('float32', 'elements'), elements: count, decoupled: flag },
    ...{ beta1: number, beta2: number, epsilon: number, weightDecay: number },
  },
  averagePool: { x: read('type', large), y: write('type', pooled), ...pool, countPadding: flag },
  averagePoolGradient: { dy: read('type', pooled), dx: write('type', large), ...pool, countPadding: flag },
  // y = activation(x·scale + offset + residual)
  batchNormApply: {
    ...{ x: read('type', 'elements'), residual: optional(read('type', 'elements')), tables: tables(read, 3) },
    ...{ y: write('type', 'elements'), ...pass, activation },
  },
  batchNormGradientApply: {
    ...{ dy: read('type', 'elements'), x: read('type', 'elements') },
    ...{ y: optional(read('type', 'elements')), residual: optional(read('type', 'elements')) },
    ...{ tables: tables(read, 3), slopes: tables(read, 2), dx: write('type', 'elements'), ...pass, activation },
  },
  batchNormGradientSums: {
    ...{ dy: read('type', 'elements'), x: read('type', 'elements') },
    ...{ y: optional(read('type', 'elements')), residual: optional(read('type', 'elements')) },
    ...{ tables: tables(read, 3), dz: optional(write('type', 'elements')) },
    ...{ sums: partial('byte', seen), columns, ...pass, activation },
  },
  // valuesPerChannel: 0 where the statistics are not those of x
  batchNormGradientTables: {
    ...{ sums: partials('byte', seen), weight: read('float32', 'channels') },
    ...{ mean: read('float32', 'channels'), variance: read('float32', 'channels') },
    ...{ dweight: write('float32', 'channels'), dbias: write('float32', 'channels'), slopes: tables(write, 2) },
    ...{ channels: size, valuesPerChannel: count, epsilon: number },
  },
  batchNormMerge: {
    ...{ sums: partials('byte', seen), mean: write('float32', 'channels'), variance: write('float32', 'channels') },
    channels: size,
  },
  batchNormStatistics: { x: read('type', 'up(elements, channels)'), sums: partial('byte', seen), columns, ...pass },
  batchNormTables: {
    ...{ weight: read('float32', 'channels'), bias: read('float32', 'channels') },
    ...{ mean: read('float32', 'channels'), variance: read('float32', 'channels'), tables: tables(write, 3) },
    ...{ channels: size, epsilon: number },
  },
  binary: {
    ...{ a: read('type', 'reach(dims, aStrides)'), b: read('type', 'reach(dims, bStrides)') },
    ...{ y: write('type', 'product(dims)'), operation: binaryOperation, type: floatType },
    ...{ dims, aStrides: strides, bStrides: strides },
  },
  cast: { x: read('from', 'elements'), y: write('to', 'elements'), elements: count, from: anyType, to: anyType },
  copy: { source: read('byte', 'bytes'), target: write('byte', 'bytes'), bytes: count },
  crossEntropy: {
    ...{ logits: read('float32', cells), labels, loss: write('float32', '1'), losses: scratch('double', 'rows') },
    ...{ ...rows, softLabels: flag, smoothing: number },
  },
  crossEntropyGradient: {
    ...{ logits: read('float32', cells), labels, dloss: scalar(), dlogits: write('float32', cells) },
    ...{ ...rows, softLabels: flag, smoothing: number },
  },
  // kernel: 3, 5 or 7, wide and high. Sums by tap, and of the bias, of channels spread to whole tiles. block: rows of x and dy, of a vector of channels
  depthwiseWeightGradient: {
    ...{ x: read('type', large), dy: read('type', pooled) },
    sums: partial('float32', '(kernel * kernel + 1) * up(channels, tileLanes)'),
    block: scratch(
      'float32',
      `tileLanes * (((blockRows - 1) * strideY + kernel) * max(left + width, (outWidth - 1) * strideX + kernel) + blockRows * outWidth)`,
    ),
    ...{ ...images, kernel: size, blockRows: size, type: floatType, bias: flag },
  },
  depthwiseWeightGradientMerge: {
    sums: partials('float32', '(taps + 1) * up(channels, tileLanes)'),
    ...{ dw: write('float32', 'channels * taps'), db: optional(write('float32', 'channels')) },
    ...{ channels: size, taps: size },
  },
  // unit: of so many elements that share a decision; stream and seed say which random numbers
  dropout: {
    ...{ x: read('type', 'up(elements, unit)'), seed: scalar('int32'), y: write('type', 'up(elements, unit)') },
    ...{ elements: count, type: floatType, stream: count, unit: size, imageElements: count, rate: number },
  },
  foldBatchNorm: {
    ...{ weight: read('float32', 'channels * perChannel'), gamma: read('float32', 'channels') },
    ...{ beta: read('float32', 'channels'), mean: read('float32', 'channels'), variance: read('float32', 'channels') },
    ...{ bias: optional(read('float32', 'channels')), folded: write('float32', 'channels * perChannel') },
    ...{ foldedBias: write('float32', 'channels'), channels: size, perChannel: size, epsilon: number },
  },
  // longestNorm: infinite where none is too long
  gradientScale: {
    ...{ squares: scalar(), lossScale: scalar(), counts: scalar(), factor: write('float32', '1') },
    ...{ norm: write('float32', '1'), finite: write('float32', '1'), parts: number, longestNorm: number },
  },
  // y = a + t·(b − a)
  lerp: {
    ...{ a: read('float32', 'elements'), b: read('float32', 'elements'), t: scalar() },
    ...{ y: write('float32', 'elements'), elements: count },
  },
  // index: of the largest in its window
  maxPool: {
    ...{ x: read('type', large), y: write('type', pooled), index: write('uint8', pooled), ...pool },
    type: movedType,
  },
  maxPoolGradient: { dy: read('type', pooled), index: read('uint8', pooled), dx: write('type', large), ...pool },
  meanSquaredError: {
    ...{ prediction: read('float32', 'elements'), target: read('float32', 'elements') },
    ...{ loss: write('float32', '1'), elements: size },
  },
  meanSquaredErrorGradient: {
    ...{ prediction: read('float32', 'elements'), target: read('float32', 'elements'), dloss: scalar() },
    ...{ dprediction: write('float32', 'elements'), elements: size },
  },
  // y = a·b + c
  multiplyAdd: {
    ...{ a: read('type', 'reach(dims, aStrides)'), b: read('type', 'reach(dims, bStrides)') },
    ...{ c: read('type', 'reach(dims, cStrides)'), y: write('type', 'product(dims)'), type: floatType },
    ...{ dims, aStrides: strides, bStrides: strides, cStrides: strides },
  },
  // y = scale · (x or x·factor, joined)
  reduce: {
    x: read('type', 'outer * count * columns'),
    factor: optional(read('type', 'outer * count * columns')),
    y: write('into', 'outer * columns'),
    totals: scratch('double', 'min(columns, reduceColumns)'),
    ...{ operation: reduction, type: floatType, outer: size, count: size, columns: size, into: floatType },
    scale: number,
  },
  rmsProp: {
    ...{ parameter: read('float32', 'elements'), gradient: read('float32', 'elements') },
    ...{ scale: scalar(), rate: scalar(), meanSquare: read('float32', 'elements') },
    ...{ velocity: read('float32', 'elements'), nextParameter: write('float32', 'elements') },
    ...{ nextMeanSquare: write('float32', 'elements'), nextVelocity: write('float32', 'elements') },
    ...{ elements: count, decay: number, momentum: number, epsilon: number, weightDecay: number },
  },
  // old + momentum·(scale·value − old)
  runningAverage: {
    ...{ old: read('float32', 'elements'), value: read('float32', 'elements'), next: write('float32', 'elements') },
    ...{ elements: count, momentum: number, scale: number },
  },
  scale: {
    ...{ x: read('type', 'reach(dims, strides)'), y: write('type', 'product(dims)'), type: floatType },
    ...{ dims, strides, factor: number },
  },
  sgd: {
    ...{ parameter: read('float32', 'elements'), gradient: read('float32', 'elements') },
    ...{ scale: scalar(), rate: scalar(), velocity: optional(read('float32', 'elements')) },
    nextParameter: write('float32', 'elements'),
    nextVelocity: optional(write('float32', 'elements'), 'velocity'),
    ...{ elements: count, nesterov: flag, momentum: number, weightDecay: number },
  },
  softmax: { x: read('float32', cells), y: write('float32', cells), ...rows },
  softmaxGradient: { dy: read('float32', cells), y: read('float32', cells), dx: write('float32', cells), ...rows },
  // A block of `dims`; with `fills`, what it does not cover of y is filled
  stridedCopy: {
    x: read('type', 'offset + reach(dims, strides)'),
    y: write('type', 'max(elements, yOffset + reach(dims, yStrides))'),
    ...{ type: movedType, fills: flag, elements: count, offset: count, yOffset: count },
    ...{ dims, strides, yStrides: strides, fill: number },
  },
  ...bfloat16Kernels,
  where: {
    ...{ condition: scalar(), a: read('float32', 'elements'), b: read('float32', 'elements') },
    ...{ y: write('float32', 'elements'), elements: count },
  },
  ...winogradKernels,
} as const satisfies Readonly<Record<string, Readonly<Record<string, Field>>>>

export type KernelName = keyof typeof kernels
