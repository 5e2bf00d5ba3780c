/** @file Adam. Kingma and Ba 2014 (arXiv 1412.6980), algorithm 1. */
import { adam as adamOp } from '../../ops/adam.js'
import type { Rows, Settled } from '../../settings/group.js'
import { number } from '../../settings/kinds.js'
import { assign, decaying, decayOf, type Optimizer, slot, stepNumber, weightDecaySetting } from './optimizer.js'

export interface AdamOptions {
  readonly type: 'adam'
  /** Default 0.9. */
  readonly beta1?: number
  /** Default 0.999. */
  readonly beta2?: number
  /** Default 1e-7, as Keras (PyTorch: 1e-8). */
  readonly epsilon?: number
  /** L2 penalty on weights, added to the gradient. Default 0. */
  readonly weightDecay?: number
}

/** The table of `AdamOptions`. */
export const adamSettings = {
  beta1: decaying('of the mean of gradients').default(0.9),
  beta2: decaying('of the mean of their squares').default(0.999),
  epsilon: number('keeps the quotient finite', { from: 0 }).default(1e-7),
  weightDecay: weightDecaySetting.default(0),
} satisfies Rows<Omit<AdamOptions, 'type'>>

/** @param decoupled whether the decay goes straight into the weight (AdamW), or into the gradient */
export function adam(
  { beta1, beta2, epsilon, weightDecay }: Settled<typeof adamSettings>,
  decoupled = false,
): Optimizer {
  return (context, parameter, gradient) => {
    const slots = [slot(context, parameter, 'm'), slot(context, parameter, 'v')]
    const attrs = { beta1, beta2, epsilon, weightDecay: decayOf(context, parameter, weightDecay), decoupled }
    const inputs = [parameter, gradient, context.scale, context.learningRate, stepNumber(context), ...slots]
    const next = context.builder.emitAll(adamOp, inputs, attrs, `${parameter.node.name}.adam`)
    assign(context, [parameter, ...slots], next)
  }
}
