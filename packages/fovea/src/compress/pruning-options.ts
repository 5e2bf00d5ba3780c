/** @file What pruning is told, whatever goes: channels or weights. */
import type { Dataset } from '../data/dataset.js'
import { dataset } from '../data/dataset-setting.js'
import type { Engine } from '../engines/engine.js'
import { engine } from '../engines/engine-setting.js'
import type { Rows } from '../settings/group.js'
import { choice, whole } from '../settings/kinds.js'
import { type PruningScope, scopes } from './scope.js'

/** How pruning chooses, and on which images. */
export interface PruningOptions {
  /** `uniform` takes the same part of each layer. Default `global`. */
  readonly scope?: PruningScope
  /** Training images: for `taylor`, and for new statistics of norms. Without them, norms keep what is left of theirs. */
  readonly images?: Dataset
  /** Images at a time. Default 32. */
  readonly batchSize?: number
  /** Of `random`. Default 0. */
  readonly seed?: number
  /** Default: the best that is there (`defaultEngine`). */
  readonly engine?: Engine
}

/** The table of `PruningOptions`. */
export const pruningSettings = {
  scope: choice('whether layers are weighed against each other', scopes).default('global'),
  images: dataset('training images, for taylor and for new statistics of norms').optional(),
  batchSize: whole('images at a time', { from: 1 }).default(32),
  seed: whole('of random').default(0),
  engine,
} satisfies Rows<PruningOptions>
