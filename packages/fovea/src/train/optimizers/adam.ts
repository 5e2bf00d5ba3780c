/** @file Adam. Kingma and Ba 2014 (arXiv 1412.6980), algorithm 1. */
import { adam as adamOp } from '../../ops/adam.js'
import { assign, checkNumber, decayOf, type Optimizer, slot } from './optimizer.js'

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

/** Adam and AdamW differ in where the decay goes: into the gradient, or straight into the weight. */
export function adamWith(options: AdamOptions | (Omit<AdamOptions, 'type'> & { readonly type: 'adamw' })): Optimizer {
  const { type, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weightDecay = 0 } = options
  checkNumber(type, 'beta1', beta1, 0, 1)
  checkNumber(type, 'beta2', beta2, 0, 1)
  checkNumber(type, 'epsilon', epsilon, 0)
  checkNumber(type, 'weightDecay', weightDecay, 0)
  const decoupled = type === 'adamw'
  return (context, parameter, gradient) => {
    const slots = [slot(context, parameter, 'm'), slot(context, parameter, 'v')]
    const attrs = { beta1, beta2, epsilon, weightDecay: decayOf(context, parameter, weightDecay), decoupled }
    const inputs = [parameter, gradient, context.learningRate, context.step(), ...slots]
    const next = context.builder.emitAll(adamOp, inputs, attrs, `${parameter.node.name}.adam`)
    assign(context, [parameter, ...slots], next)
    return slots
  }
}

export const adam = (options: AdamOptions): Optimizer => adamWith(options)
