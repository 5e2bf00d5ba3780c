/** @file The table of lowerings: the compiler asks for a row for every operator. */
import type { OpName } from 'fovea/engine'
import { broadcast } from './broadcast.js'
import { convolutions } from './convolution.js'
import { movement } from './movement.js'
import { normalization } from './normalization.js'
import type { Lower, SliceLowering } from './operator.js'
import { pooling } from './pooling.js'
import { reduction } from './reduction.js'
import { training } from './training.js'

export const lowerings: Readonly<Record<OpName, Lower | SliceLowering>> = {
  ...broadcast,
  ...convolutions,
  ...movement,
  ...normalization,
  ...pooling,
  ...reduction,
  ...training,
}
