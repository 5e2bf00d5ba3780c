/** @file Stochastic gradient descent, with momentum, with Nesterov's: the optimizer of the ResNet papers. */
import { sgd as sgdOp } from '../../ops/sgd.js'
import type { Rows, Settled } from '../../settings/group.js'
import { flag } from '../../settings/kinds.js'
import { assign, decaying, decayOf, type Optimizer, slot, weightDecaySetting } from './optimizer.js'

export interface SgdOptions {
  readonly type: 'sgd'
  /** Default 0. */
  readonly momentum?: number
  /** Default false. */
  readonly nesterov?: boolean
  /** L2 penalty on weights. Default 0. */
  readonly weightDecay?: number
}

/** The table of `SgdOptions`. */
export const sgdSettings = {
  momentum: decaying('how much of the last step the next one keeps').default(0),
  nesterov: flag("Nesterov's momentum").default(false),
  weightDecay: weightDecaySetting.default(0),
} satisfies Rows<Omit<SgdOptions, 'type'>>

export function sgd({ momentum, nesterov, weightDecay }: Settled<typeof sgdSettings>): Optimizer {
  return (context, parameter, gradient) => {
    const velocity = momentum === 0 ? [] : [slot(context, parameter, 'velocity')]
    const attrs = { momentum, nesterov, weightDecay: decayOf(context, parameter, weightDecay) }
    const inputs = [parameter, gradient, context.scale, context.learningRate, ...velocity]
    const next = context.builder.emitAll(sgdOp, inputs, attrs, `${parameter.node.name}.sgd`)
    assign(context, [parameter, ...velocity], next)
  }
}
