/** @file The plan of `fovea quantize --method qat`. */
import { z } from 'zod'
import { PlanKind } from '../plan.js'
import type { QuantizedPart } from './methods.js'

/** What it has found out. */
export interface QuantizeFindings {
  /** Of the model that is prepared: what becomes of each layer. */
  readonly layers?: readonly QuantizedPart[]
}

const layerSchema = z.object({ name: z.string(), dtype: z.string(), signalToNoise: z.number().optional() })

const findings = z.object({ layers: z.array(layerSchema).optional() }) as z.ZodType<QuantizeFindings>

export const quantizePlans = new PlanKind('quantize', 'quantization', [], findings)
