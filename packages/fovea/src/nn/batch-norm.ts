/** @file Batch normalization with its weight, bias and running statistics. */
import type { Value } from '../graph/graph.js'
import { batchNorm as batchNormOp } from '../ops/batch-norm.js'
import type { Scope } from './scope.js'

export interface BatchNormOptions {
  /** Default 1e-5. */
  readonly epsilon?: number
  /** Weight of a batch's statistics in the running ones. Default 0.1. */
  readonly momentum?: number
  /** As a buffer the weight stays 1. Default `parameter`. */
  readonly weight?: 'parameter' | 'buffer'
}

/** Parameters `weight`, `bias`; buffers `running_mean`, `running_var`; each [channels]. */
export function batchNorm(scope: Scope, x: Value, options: BatchNormOptions = {}): Value {
  const { epsilon = 1e-5, momentum = 0.1, weight = 'parameter' } = options
  const channels = [x.type.shape[3]]
  const inputs = [
    x,
    scope[weight]('weight', channels, { type: 'ones' }),
    scope.parameter('bias', channels, { type: 'zeros' }),
    scope.buffer('running_mean', channels, { type: 'zeros' }),
    scope.buffer('running_var', channels, { type: 'ones' }),
  ]
  return scope.builder.emit(batchNormOp, inputs, { epsilon, momentum }, scope.path)
}
