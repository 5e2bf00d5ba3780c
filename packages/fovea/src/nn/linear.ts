/** @file A fully connected layer with its weight and bias. */
import type { Value } from '../graph/graph.js'
import type { Initializer } from '../graph/initializer.js'
import { linear as linearOp } from '../ops/linear.js'
import type { Scope } from './scope.js'

export interface LinearOptions {
  readonly features: number
  /** Default true. */
  readonly bias?: boolean
  /** Of the weight. Default PyTorch's, uniform within ±1/√in, for the bias as well; beside another, biases start at 0. */
  readonly initializer?: Initializer
}

/** Parameters `weight` [features, in] and, unless left out, `bias` [features]. */
export function linear(scope: Scope, x: Value, { features, bias = true, initializer }: LinearOptions): Value {
  const inputs = x.type.shape[1]
  const uniform: Initializer = { type: 'uniform', bound: 1 / Math.sqrt(inputs) }
  const weight = scope.parameter('weight', [features, inputs], initializer ?? uniform)
  if (!bias) return scope.builder.emit(linearOp, [x, weight], {}, scope.path)
  const start = initializer === undefined ? uniform : ({ type: 'zeros' } as const)
  return scope.builder.emit(linearOp, [x, weight, scope.parameter('bias', [features], start)], {}, scope.path)
}
