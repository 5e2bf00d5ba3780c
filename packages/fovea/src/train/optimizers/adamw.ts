/** @file AdamW: Adam with decoupled weight decay. Loshchilov and Hutter 2017 (arXiv 1711.05101), algorithm 2. */
import type { Rows } from '../../settings/group.js'
import { type AdamOptions, adamSettings } from './adam.js'

export interface AdamWOptions extends Omit<AdamOptions, 'type' | 'weightDecay'> {
  readonly type: 'adamw'
  /** Each step shrinks weights by learningRate · weightDecay. Default 0.01. */
  readonly weightDecay?: number
}

/** The table of `AdamWOptions`. */
export const adamwSettings = {
  ...adamSettings,
  weightDecay: adamSettings.weightDecay.default(0.01),
} satisfies Rows<Omit<AdamWOptions, 'type'>>
