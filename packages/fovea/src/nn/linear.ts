/** @file A fully connected layer with its weight and bias. */
import type { Value } from '../graph/graph.js'
import type { Initializer } from '../ops/builder.js'
import { linear as linearOp } from '../ops/linear.js'
import type { Scope } from './scope.js'

/**
 * Parameters `weight` [features, in] and `bias` [features].
 * @param initializer of the weight; default PyTorch's, uniform within ±1/√in, for the bias as well
 */
export function linear(scope: Scope, x: Value, features: number, initializer?: Initializer): Value {
  const inputs = x.type.shape[1]
  const uniform: Initializer = { type: 'uniform', bound: 1 / Math.sqrt(inputs) }
  const weight = scope.parameter('weight', [features, inputs], initializer ?? uniform)
  const bias = scope.parameter('bias', [features], initializer === undefined ? uniform : { type: 'zeros' })
  return scope.builder.emit(linearOp, [x, weight, bias], {}, scope.path)
}
