/** @file The optimizers by name. */
import { unknownName } from '../../errors.js'
import { type AdamOptions, adam } from './adam.js'
import { type AdamWOptions, adamw } from './adamw.js'
import type { Optimizer } from './optimizer.js'
import { type RmsPropOptions, rmsprop } from './rmsprop.js'
import { type SgdOptions, sgd } from './sgd.js'

/** An optimizer by its `type`, with its numbers. */
export type OptimizerOptions = SgdOptions | AdamOptions | AdamWOptions | RmsPropOptions
/** The types of `OptimizerOptions`. */
export const optimizerNames = ['sgd', 'adam', 'adamw', 'rmsprop'] as const

/** @throws InvalidArgumentError for an unknown `type` */
export function createOptimizer(options: OptimizerOptions): Optimizer {
  switch (options.type) {
    case 'sgd':
      return sgd(options)
    case 'adam':
      return adam(options)
    case 'adamw':
      return adamw(options)
    case 'rmsprop':
      return rmsprop(options)
    default:
      throw unknownName('optimizer', String((options as { type: unknown }).type), optimizerNames)
  }
}
