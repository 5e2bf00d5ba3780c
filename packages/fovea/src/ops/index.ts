/** @file The table of all operators. Leaves (`input`, `parameter`, `buffer`, `constant`) are no operators: see ops/builder.ts. */
import { EngineError } from '../errors.js'
import type { Node } from '../graph/graph.js'
import { accumulate } from './accumulate.js'
import { activationGradient, activationOps } from './activation.js'
import { adam } from './adam.js'
import { add } from './add.js'
import { averagePool, averagePoolGradient } from './average-pool.js'
import { batchNorm, batchNormGradient, batchNormTraining } from './batch-norm.js'
import { broadcastTo } from './broadcast-to.js'
import { cast } from './cast.js'
import { conv2d, conv2dInputGradient, conv2dWeightGradient } from './conv2d.js'
import { crossEntropy, crossEntropyGradient } from './cross-entropy.js'
import type { OpDefinition, Trait } from './define.js'
import { dequantize } from './dequantize.js'
import { dropout } from './dropout.js'
import { extentByImage, fakeQuantize, fakeQuantizeGradient, fakeQuantizeWeights } from './fake-quantize.js'
import { flatten } from './flatten.js'
import { foldedWeights } from './folded-weights.js'
import { globalAveragePool, globalAveragePoolGradient } from './global-average-pool.js'
import { gradientScale } from './gradient-scale.js'
import { integerAveragePool } from './integer-average-pool.js'
import { integerAdd, integerMultiply } from './integer-binary.js'
import { foldZeroPoint, integerConv2d } from './integer-conv2d.js'
import { lerp } from './lerp.js'
import { linear, linearInputGradient, linearWeightGradient } from './linear.js'
import { maxPool, maxPoolGradient } from './max-pool.js'
import { meanSquaredError, meanSquaredErrorGradient } from './mean-squared-error.js'
import { multiply } from './multiply.js'
import { multiplyAdd } from './multiply-add.js'
import { pad } from './pad.js'
import { productSum } from './product-sum.js'
import { quantize } from './quantize.js'
import { quantizedProduct } from './quantized-product.js'
import { reduceMax, reduceMaxGradient } from './reduce-max.js'
import { reduceMean } from './reduce-mean.js'
import { reduceSum } from './reduce-sum.js'
import { reshape } from './reshape.js'
import { rmsProp } from './rms-prop.js'
import { runningAverage } from './running-average.js'
import { sgd } from './sgd.js'
import { slice, sliceGradient } from './slice.js'
import { softmax, softmaxGradient } from './softmax.js'
import { stochasticDepth } from './stochastic-depth.js'
import { where } from './where.js'

/** Every operator by name: what graphs refer to. */
export const ops = {
  // Convolution and matrix product
  conv2d,
  conv2dInputGradient,
  conv2dWeightGradient,
  linear,
  linearInputGradient,
  linearWeightGradient,
  // Normalization and activation
  batchNorm,
  batchNormTraining,
  batchNormGradient,
  ...activationOps,
  activationGradient,
  softmax,
  softmaxGradient,
  foldedWeights,
  // Pooling
  maxPool,
  maxPoolGradient,
  averagePool,
  averagePoolGradient,
  globalAveragePool,
  globalAveragePoolGradient,
  // Arithmetic and reductions
  add,
  multiply,
  multiplyAdd,
  productSum,
  reduceSum,
  reduceMean,
  reduceMax,
  reduceMaxGradient,
  // Shape and type
  flatten,
  reshape,
  broadcastTo,
  pad,
  slice,
  sliceGradient,
  cast,
  quantize,
  dequantize,
  integerConv2d,
  integerAveragePool,
  integerAdd,
  integerMultiply,
  quantizedProduct,
  foldZeroPoint,
  fakeQuantize,
  fakeQuantizeGradient,
  fakeQuantizeWeights,
  extentByImage,
  // Regularization
  dropout,
  stochasticDepth,
  // Losses
  crossEntropy,
  crossEntropyGradient,
  meanSquaredError,
  meanSquaredErrorGradient,
  // Updates of state
  sgd,
  adam,
  rmsProp,
  runningAverage,
  accumulate,
  lerp,
  where,
  gradientScale,
} as const

/** A key of `ops`. */
export type OpName = keyof typeof ops

/** Whether a name is that of an operator, and not of a leaf. */
export const isOpName = (name: string): name is OpName => Object.hasOwn(ops, name)

/** The definition of an operator by the name that a node carries. Its attributes are checked by `infer`. */
export function opDefinition(name: string): OpDefinition {
  if (!isOpName(name)) throw new EngineError(`there is no operator named '${name}'`)
  return ops[name] as unknown as OpDefinition
}

/** Whether a node applies an operator of this trait; leaves have none. */
export const hasTrait = (node: Node, trait: Trait): boolean =>
  isOpName(node.op) && (opDefinition(node.op).traits ?? []).includes(trait)

/** Whether the first output consists of elements of the first input, and of zeros. */
export const isSelection = (node: Node): boolean => hasTrait(node, 'selection') && (node.attrs['value'] ?? 0) === 0
