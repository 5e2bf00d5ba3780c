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
import type { EngineOptions } from '../engines.js'
import { optionOf } from '../option-names.js'
import type { TuneRequest } from '../tune.js'
import { UsageError } from '../usage.js'

/** The methods, and what each does. */
export const methods = {
  ptq: 'weights and activations become integers: the model becomes smaller and, on most processors, faster',
  qat: 'as ptq, after training the model to tolerate integers (with --epochs): usually a smaller loss of accuracy',
  weights: 'only weights take fewer bits: the file becomes smaller, the model no faster',
} as const

/** A key of `methods`. */
export type Method = keyof typeof methods

export interface MethodOptions extends Partial<Omit<TuneRequest, 'data' | keyof EngineOptions | 'skipBad'>> {
  readonly method: Method
  readonly type?: WeightType
  readonly ranges?: RangeMethod
  readonly weightBits?: number
  readonly equalize?: true
  readonly correctBiases?: true
  readonly maxLoss?: number
  readonly images: number
  readonly keepFloat32?: readonly string[]
}

/** Options of some methods alone. */
const methodsOf: Readonly<Partial<Record<keyof MethodOptions, readonly Method[]>>> = {
  type: ['weights'],
  ranges: ['ptq', 'qat'],
  weightBits: ['ptq', 'qat'],
  equalize: ['ptq', 'qat'],
  correctBiases: ['ptq', 'qat'],
  maxLoss: ['ptq'],
  epochs: ['qat'],
  recipe: ['qat'],
  learningRate: ['qat'],
  batch: ['qat'],
  distill: ['qat'],
  seed: ['qat'],
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
export function checkMethod(options: MethodOptions): void {
  const { method, epochs } = options
  for (const [name, of] of Object.entries(methodsOf)) {
    if (of.includes(method) || options[name as keyof MethodOptions] === undefined) continue
    throw new UsageError(`${optionOf(name)} is for --method ${of.join(' or ')}`)
  }
  if (method === 'qat' && epochs === undefined) {
    throw new UsageError('--epochs is missing: how long the model trains to tolerate integers, such as --epochs 3')
  }
}

/** What of the options says how a model becomes integers. */
export const preparation = ({ ranges, weightBits, equalize, correctBiases, keepFloat32 }: Partial<MethodOptions>) => ({
  ...(ranges && { ranges }),
  ...(weightBits && { weightBits }),
  ...(equalize && { equalize }),
  ...(correctBiases && { correctBiases }),
  ...(keepFloat32 && { keepFloat32 }),
})

/** Without training. @param how the images that show ranges, and where they are run */
export async function quantizeAtOnce(
  model: Model,
  options: MethodOptions,
  how: { readonly images: Dataset; readonly engine: Engine },
): Promise<Quantized> {
  const { method, type, keepFloat32 } = options
  if (method !== 'weights') return quantizeModel(model, { ...how, ...preparation(options) })
  const quantized = quantizeWeights(model, { ...(keepFloat32 && { keepFloat32 }), ...(type && { type }) })
  return { model: quantized, layers: weightTypesOf(quantized) }
}

/** The parameters that hold weights of layers, and their types. */
const weightTypesOf = ({ graph }: Model): QuantizedPart[] =>
  graph.nodes.flatMap(({ op, name, outputs: [type] }) =>
    op === 'parameter' && type.shape.length > 1 ? [{ name, dtype: type.dtype }] : [],
  )
