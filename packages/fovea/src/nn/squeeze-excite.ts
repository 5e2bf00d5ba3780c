/** @file Squeeze-and-excitation: channels are scaled by what the whole image says. Hu et al. 2018 (arXiv 1709.01507). */
import type { Value } from '../graph/graph.js'
import { activationOps } from '../ops/activation.js'
import { globalAveragePool } from '../ops/global-average-pool.js'
import { multiply } from '../ops/multiply.js'
import { conv2d } from './conv2d.js'
import type { Scope } from './scope.js'

/** x · sigmoid(fc2(silu(fc1(mean of x)))); `fc1` and `fc2` are 1×1 convolutions with bias, as in torchvision. */
export function squeezeExcite(scope: Scope, x: Value, squeezed: number): Value {
  const { builder } = scope
  const pooled = builder.emit(globalAveragePool, [x], {}, scope.name('avgpool'))
  const narrow = conv2d(scope.at('fc1'), pooled, { filters: squeezed, bias: true })
  const activated = builder.emit(activationOps.silu, [narrow], {}, scope.name('activation'))
  const wide = conv2d(scope.at('fc2'), activated, { filters: x.type.shape[3], bias: true })
  const scale = builder.emit(activationOps.sigmoid, [wide], {}, scope.name('scale_activation'))
  return builder.emit(multiply, [x, scale], {}, scope.path)
}
