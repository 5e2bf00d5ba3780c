/** @file A convolution with its weight (and bias). */
import type { Value } from '../graph/graph.js'
import type { Initializer } from '../graph/initializer.js'
import { conv2d as conv2dOp } from '../ops/conv2d.js'
import type { Scope } from './scope.js'

export interface Conv2dOptions {
  readonly filters: number
  /** Height and width of the window. Default 1. */
  readonly kernel?: number
  /** Default 1. */
  readonly stride?: number
  /**
   * Zeros on each side. Default (kernel − 1) / 2, which keeps the size at stride 1. `same` is TensorFlow's: as few as make
   * ⌈size / stride⌉ windows, and of an odd number one more at the end than at the beginning.
   */
  readonly padding?: number | 'same'
  readonly groups?: number
  readonly bias?: boolean
  /** Default: He et al. 2015 (arXiv 1502.01852), normal by the outgoing connections, as torchvision's networks start. */
  readonly initializer?: Initializer
  /** As a buffer the weight stays as it starts. Default `parameter`. */
  readonly weight?: 'parameter' | 'buffer'
}

/** Parameters `weight` [filters, in/groups, kernel, kernel] and, if `bias`, `bias` [filters], which starts at zero. */
export function conv2d(scope: Scope, x: Value, options: Conv2dOptions): Value {
  const { filters, kernel = 1, stride = 1, padding = (kernel - 1) / 2, groups = 1, bias = false } = options
  const { initializer = { type: 'normal', mode: 'fanOut', gain: Math.SQRT2 } } = options
  const shape = [filters, x.type.shape[3] / groups, kernel, kernel]
  const weight = scope[options.weight ?? 'parameter']('weight', shape, initializer)
  const inputs = bias ? [x, weight, scope.parameter('bias', [filters], { type: 'zeros' })] : [x, weight]
  const paddingOf = (size: number): [number, number] =>
    padding === 'same' ? samePadding(size, kernel, stride) : [padding, padding]
  const attrs = {
    stride: [stride, stride],
    padding: [...paddingOf(x.type.shape[1]), ...paddingOf(x.type.shape[2])],
    dilation: [1, 1],
    groups,
  } as const
  return scope.builder.emit(conv2dOp, inputs, attrs, scope.path)
}

/** Zeros before and after a side of an image (TensorFlow's documentation of `tf.nn`, "Notes on padding"). */
function samePadding(size: number, kernel: number, stride: number): [number, number] {
  const missing = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0)
  const before = Math.floor(missing / 2)
  return [before, missing - before]
}
