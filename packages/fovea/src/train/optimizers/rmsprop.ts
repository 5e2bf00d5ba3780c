/** @file RMSProp in TensorFlow's form, with EfficientNet's numbers (Tan and Le 2019, arXiv 1905.11946, section 5.2). */
import { rmsProp as rmsPropOp } from '../../ops/rms-prop.js'
import { assign, checkNumber, decayOf, type Optimizer, slot } from './optimizer.js'

export interface RmsPropOptions {
  readonly type: 'rmsprop'
  /** Of the mean square. Default 0.9. */
  readonly decay?: number
  /** Default 0.9. */
  readonly momentum?: number
  /** Inside the root. Default 0.001. */
  readonly epsilon?: number
  /** L2 penalty on weights. Default 0. */
  readonly weightDecay?: number
}

export function rmsprop(options: RmsPropOptions): Optimizer {
  const { decay = 0.9, momentum = 0.9, epsilon = 1e-3, weightDecay = 0 } = options
  checkNumber('rmsprop', 'decay', decay, 0, 1)
  checkNumber('rmsprop', 'momentum', momentum, 0, 1)
  checkNumber('rmsprop', 'epsilon', epsilon, 0)
  checkNumber('rmsprop', 'weightDecay', weightDecay, 0)
  return (context, parameter, gradient) => {
    const slots = [slot(context, parameter, 'meanSquare', 'ones'), slot(context, parameter, 'velocity')]
    const attrs = { decay, momentum, epsilon, weightDecay: decayOf(context, parameter, weightDecay) }
    const inputs = [parameter, gradient, context.learningRate, ...slots]
    const next = context.builder.emitAll(rmsPropOp, inputs, attrs, `${parameter.node.name}.rmsprop`)
    assign(context, [parameter, ...slots], next)
    return slots
  }
}
