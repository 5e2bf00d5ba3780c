/** @file The plan of `fovea quantize`. */
import { z } from 'zod'
import { PlanKind } from '../plan.js'
import type { QuantizedPart } from './methods.js'

/** What it has found out. */
export interface QuantizeFindings {
  /** What becomes of each layer, of a model that is kept: with `qat` the one that is prepared, else the result. */
  readonly layers?: readonly QuantizedPart[]
}

const layerSchema = z.object({ name: z.string(), dtype: z.string(), signalToNoise: z.number().optional() })

const findings = z.object({ layers: z.array(layerSchema).optional() }) as z.ZodType<QuantizeFindings>

export const quantizePlans = new PlanKind('quantize', 'quantization', [], findings)
