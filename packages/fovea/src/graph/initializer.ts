/**
 * @file How a parameter or buffer starts: data in its node, by a table from which a saved graph is read as well. The formulas
 * stand with their papers in `nn/initializers.ts`.
 */
import { type SettledVariant, variants } from '../settings/group.js'
import { choice, number } from '../settings/kinds.js'
import type { Setting } from '../settings/setting.js'
import type { Node } from './graph.js'

const bound = number('values lie within ± it')

const kinds = {
  zeros: {},
  ones: {},
  normal: {
    mode: choice('the connections that count, as PyTorch counts them', ['fanIn', 'fanOut']),
    gain: number('the deviation, times the root of their number'),
  },
  uniform: { bound },
  /** The first filters, as many as there are input channels, pass one channel on each; the rest are `uniform`. */
  dirac: { bound },
  /** A convolution's filters that whiten patches of the training images. */
  whitening: { epsilon: number('added to the variances of patches') },
}

/** How a parameter or buffer starts. */
export type Initializer = SettledVariant<typeof kinds>

export const initializerSetting: Setting<Initializer> = variants('how a parameter or buffer starts', kinds)

/** How this parameter or buffer starts. */
export const initializerOf = ({ attrs }: Node): Initializer => attrs['initializer'] as Initializer
