/** @file Adam. Kingma and Ba 2014 (arXiv 1412.6980), algorithm 1. */
import { adam as adamOp } from '../../ops/adam.js'
import { assign, decayOf, type Optimizer, slot } from './optimizer.js'

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
export const adamWith =
  (options: Omit<AdamOptions, 'type'>, decoupled: boolean): Optimizer =>
  (context, parameter, gradient) => {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weightDecay = 0 } = options
    const slots = [slot(context, parameter, 'm'), slot(context, parameter, 'v')]
    const attrs = { beta1, beta2, epsilon, weightDecay: decayOf(parameter, weightDecay), decoupled }
    const inputs = [parameter, gradient, context.learningRate, context.step(), ...slots]
    const next = context.builder.emitAll(adamOp, inputs, attrs, `${parameter.node.name}.adam`)
    assign(context, [parameter, ...slots], next)
  }

export const adam = (options: AdamOptions): Optimizer => adamWith(options, false)
