/** @file RMSProp in TensorFlow's form, with EfficientNet's numbers (Tan and Le 2019, arXiv 1905.11946, section 5.2). */
import { rmsProp as rmsPropOp } from '../../ops/rms-prop.js'
import type { Rows, Settled } from '../../settings/group.js'
import { number } from '../../settings/kinds.js'
import { assign, decaying, decayOf, type Optimizer, slot, weightDecaySetting } from './optimizer.js'

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

/** The table of `RmsPropOptions`. */
export const rmspropSettings = {
  decay: decaying('of the mean of squared gradients').default(0.9),
  momentum: decaying('how much of the last step the next one keeps').default(0.9),
  epsilon: number('inside the root', { from: 0 }).default(1e-3),
  weightDecay: weightDecaySetting.default(0),
} satisfies Rows<Omit<RmsPropOptions, 'type'>>

export function rmsprop(options: Settled<typeof rmspropSettings>): Optimizer {
  const { decay, momentum, epsilon, weightDecay } = options
  return (context, parameter, gradient) => {
    const slots = [slot(context, parameter, 'meanSquare', 'ones'), slot(context, parameter, 'velocity')]
    const attrs = { decay, momentum, epsilon, weightDecay: decayOf(context, parameter, weightDecay) }
    const inputs = [parameter, gradient, context.scale, context.learningRate, ...slots]
    const next = context.builder.emitAll(rmsPropOp, inputs, attrs, `${parameter.node.name}.rmsprop`)
    assign(context, [parameter, ...slots], next)
  }
}
