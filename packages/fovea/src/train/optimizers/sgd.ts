/** @file Stochastic gradient descent, with momentum, with Nesterov's: the optimizer of the ResNet papers. */
import { sgd as sgdOp } from '../../ops/sgd.js'
import { assign, checkNumber, decayOf, type Optimizer, slot } from './optimizer.js'

export interface SgdOptions {
  readonly type: 'sgd'
  /** Default 0. */
  readonly momentum?: number
  /** Default false. */
  readonly nesterov?: boolean
  /** L2 penalty on weights. Default 0. */
  readonly weightDecay?: number
}

export function sgd({ momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions): Optimizer {
  checkNumber('sgd', 'momentum', momentum, 0, 1)
  checkNumber('sgd', 'weightDecay', weightDecay, 0)
  return (context, parameter, gradient) => {
    const velocity = momentum === 0 ? [] : [slot(context, parameter, 'velocity')]
    const attrs = { momentum, nesterov, weightDecay: decayOf(context, parameter, weightDecay) }
    const inputs = [parameter, gradient, context.learningRate, ...velocity]
    const next = context.builder.emitAll(sgdOp, inputs, attrs, `${parameter.node.name}.sgd`)
    assign(context, [parameter, ...velocity], next)
    return velocity
  }
}
