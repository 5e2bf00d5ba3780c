/** @file The plan of `fovea prune`. */
import { z } from 'zod'
import { PlanKind } from '../plan.js'
import type { PrunedPart } from './methods.js'

/** What it has found out. */
export interface PruneFindings {
  /** Of what was taken at once: what is left of each layer, and the accuracy before any training. */
  readonly pruned?: { readonly layers: readonly PrunedPart[]; readonly accuracy: number }
}

const layerSchema = z.object({
  name: z.string(),
  channels: z.int().optional(),
  weights: z.int().optional(),
  kept: z.int(),
})

const findings = z.object({
  pruned: z.object({ layers: z.array(layerSchema), accuracy: z.number() }).optional(),
}) as z.ZodType<PruneFindings>

export const prunePlans = new PlanKind('prune', 'pruning', ['--amount', '0.5'], findings)
