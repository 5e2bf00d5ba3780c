/** @file AdamW: Adam with decoupled weight decay. Loshchilov and Hutter 2017 (arXiv 1711.05101), algorithm 2. */
import { type AdamOptions, adamWith } from './adam.js'
import type { Optimizer } from './optimizer.js'

export interface AdamWOptions extends Omit<AdamOptions, 'type' | 'weightDecay'> {
  readonly type: 'adamw'
  /** Each step shrinks weights by learningRate · weightDecay. Default 0.01. */
  readonly weightDecay?: number
}

export const adamw = ({ weightDecay = 0.01, ...options }: AdamWOptions): Optimizer =>
  adamWith({ ...options, weightDecay })
