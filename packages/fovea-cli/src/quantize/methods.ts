/** @file What `fovea quantize` can do, by the name that `--method` gives it. */
import {
  type Dataset,
  type Engine,
  type Model,
  quantizeModel,
  quantizeWeights,
  type RangeMethod,
  type WeightType,
} from 'fovea'
import { UsageError } from '../usage.js'

/** The methods, and what each does. */
export const methods = {
  ptq: 'weights and activations become integers: the model becomes smaller and, on most processors, faster',
  weights: 'only weights take fewer bits: the file becomes smaller, the model no faster',
} as const

/** A key of `methods`. */
export type Method = keyof typeof methods

export interface MethodOptions {
  readonly method: Method
  /** Of `weights`. */
  readonly type?: WeightType
  /** Of `ptq`, as the next three. */
  readonly ranges?: RangeMethod
  readonly weightBits?: number
  readonly maxLoss?: number
  readonly images: number
  readonly keepFloat32?: readonly string[]
}

/** A layer, the type of its weights, and what integers cost it by itself. */
export interface QuantizedPart {
  readonly name: string
  readonly dtype: string
  readonly signalToNoise?: number
}

export interface Quantized {
  readonly model: Model
  readonly layers: readonly QuantizedPart[]
}

/** @throws UsageError for options that do not go together */
export function checkMethod({ method, type, ranges, weightBits, maxLoss }: MethodOptions): void {
  const others =
    method === 'ptq' ? { '--type': type } : { '--ranges': ranges, '--weight-bits': weightBits, '--max-loss': maxLoss }
  const given = Object.entries(others).find(([, value]) => value !== undefined)
  if (given === undefined) return
  throw new UsageError(`${given[0]} is for --method ${method === 'ptq' ? 'weights' : 'ptq'}`)
}

/** @param how the images that show ranges, and where they are run */
export async function quantizeBy(
  model: Model,
  { method, type, ranges, weightBits, keepFloat32 }: MethodOptions,
  how: { readonly images: Dataset; readonly engine: Engine },
): Promise<Quantized> {
  const kept = keepFloat32 && { keepFloat32 }
  if (method === 'ptq') {
    return quantizeModel(model, { ...how, ...kept, ...(ranges && { ranges }), ...(weightBits && { weightBits }) })
  }
  const quantized = quantizeWeights(model, { ...kept, ...(type && { type }) })
  return { model: quantized, layers: weightTypesOf(quantized) }
}

/** The parameters that hold weights of layers, and their types. */
const weightTypesOf = ({ graph }: Model): QuantizedPart[] =>
  graph.nodes.flatMap(({ op, name, outputs: [type] }) =>
    op === 'parameter' && type.shape.length > 1 ? [{ name, dtype: type.dtype }] : [],
  )
