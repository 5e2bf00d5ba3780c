/** @file RMSProp in TensorFlow's form, with EfficientNet's numbers (Tan and Le 2019, arXiv 1905.11946, section 5.2). */
import { rmsProp as rmsPropOp } from '../../ops/rms-prop.js'
import { assign, decayOf, type Optimizer, slot } from './optimizer.js'

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

export const rmsprop =
  ({ decay = 0.9, momentum = 0.9, epsilon = 1e-3, weightDecay = 0 }: RmsPropOptions): Optimizer =>
  (context, parameter, gradient) => {
    const slots = [slot(context, parameter, 'meanSquare', 'ones'), slot(context, parameter, 'velocity')]
    const attrs = { decay, momentum, epsilon, weightDecay: decayOf(parameter, weightDecay) }
    const inputs = [parameter, gradient, context.learningRate, ...slots]
    const next = context.builder.emitAll(rmsPropOp, inputs, attrs, `${parameter.node.name}.rmsprop`)
    assign(context, [parameter, ...slots], next)
  }
