/** @file The optimizers by name. */
import { type ValueOf, type VariantRows, variants } from '../../settings/group.js'
import { type AdamOptions, adam, adamSettings } from './adam.js'
import { type AdamWOptions, adamwSettings } from './adamw.js'
import type { Optimizer } from './optimizer.js'
import { type RmsPropOptions, rmsprop, rmspropSettings } from './rmsprop.js'
import { type SgdOptions, sgd, sgdSettings } from './sgd.js'

/** An optimizer by its `type`, with its numbers. */
export type OptimizerOptions = SgdOptions | AdamOptions | AdamWOptions | RmsPropOptions

/** The tables of `OptimizerOptions`. */
export const optimizerSettings = {
  sgd: sgdSettings,
  adam: adamSettings,
  adamw: adamwSettings,
  rmsprop: rmspropSettings,
} satisfies VariantRows<OptimizerOptions>

/** How weights are updated. */
export const optimizerSetting = variants('how weights are updated', optimizerSettings)

export function createOptimizer(options: ValueOf<typeof optimizerSetting>): Optimizer {
  switch (options.type) {
    case 'sgd':
      return sgd(options)
    case 'adam':
      return adam(options)
    case 'adamw':
      return adam(options, true)
    case 'rmsprop':
      return rmsprop(options)
  }
}
