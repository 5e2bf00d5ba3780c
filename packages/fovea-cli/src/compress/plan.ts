/** @file The plan of `fovea compress`: what it has measured and tried so far. */
import { z } from 'zod'
import { PlanKind } from '../plan.js'
import type { Sizes } from './targets.js'

/** A model as it would be, untrained. */
export interface Probe extends Sizes {
  /** The part of the multiply-adds that was to go. */
  readonly amount: number
  /** The part that went: layers keep multiples of some channels. */
  readonly gone: number
}

/** What it has found out. */
export interface CompressFindings {
  /** Whether the models compute in integers. */
  readonly integers?: boolean
  readonly probes?: readonly Probe[]
  /** The points of accuracy that were lost, by amount, where that is a target. */
  readonly losses?: readonly { readonly amount: number; readonly loss: number }[]
  /** The amount that meets the targets of size, until it is measured otherwise. */
  readonly chosen?: number
  /** The amounts of which there are models, in the order in which they were tried. */
  readonly tried?: readonly number[]
}

const amount = z.number().min(0).max(1)

const findings = z.object({
  integers: z.boolean().optional(),
  probes: z.array(z.object({ amount, gone: z.number(), latency: z.number().optional(), bytes: z.number() })).optional(),
  losses: z.array(z.object({ amount, loss: z.number() })).optional(),
  chosen: amount.optional(),
  tried: z.array(amount).optional(),
}) as z.ZodType<CompressFindings>

export const compressPlans = new PlanKind('compress', 'compression', ['--target', 'latency=0.5x'], findings)
