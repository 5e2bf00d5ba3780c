/**
 * @file Weights in types of fewer bits, for models that only need to be small: the file shrinks by what is left out, and each
 * engine widens them before it computes, so the time stays as it was.
 */
import { roundArrayToHalf } from '../graph/float16.js'
import { initializerOf } from '../graph/initializer.js'
import { matching } from '../graph/patterns.js'
import type { Model, Weights } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import { cast } from '../ops/cast.js'
import { dequantize } from '../ops/dequantize.js'
import { rewrite } from '../passes/rewrite.js'
import { group, type Rows } from '../settings/group.js'
import { choice, list, text } from '../settings/kinds.js'
import { connectionNodes } from './connections.js'
import { expectUnprepared } from './convert-quantization.js'
import { expectFloat32 } from './expect-float32.js'
import { integerWeights, scaleNameOf } from './integer-weights.js'

/** The types that weights can be kept in. */
export const weightTypes = ['int8', 'float16', 'bfloat16'] as const
/** One of `weightTypes`. */
export type WeightType = (typeof weightTypes)[number]

/** What weights are kept in, and which are not. */
export interface QuantizeWeightsOptions {
  /** `int8`: whole numbers from −127 to 127, with a scale for each output channel. Default `int8`. */
  readonly type?: WeightType
  /** Patterns over names of parameters that stay float32. Default: none. */
  readonly keepFloat32?: readonly string[]
}

const quantizeWeightsOptions = group('how weights are quantized', {
  type: choice('the type that weights are kept in', weightTypes).default('int8'),
  keepFloat32: list(
    'parameters whose weights stay float32, such as conv1.weight,fc.*',
    'patterns over names of parameters',
    text('a pattern'),
  ).default([]),
} satisfies Rows<QuantizeWeightsOptions>)

/**
 * The model with the weights of its convolutions and matrices in another type; biases and norms, which are few, stay float32.
 * int8 is symmetric by output channel (Krishnamoorthi 2018, arXiv 1806.08342, section 2.1): the largest weight of a channel
 * becomes ±127.
 * @returns a model that computes as before, in float32. Only what is left float32 can be trained
 * @throws InvalidArgumentError for a model whose weights are no float32, or that is prepared to be quantized; SettingError for a
 * pattern that matches none
 */
export function quantizeWeights(model: Model, options: QuantizeWeightsOptions = {}): Model {
  modelOf(model)
  const { type, keepFloat32 } = quantizeWeightsOptions.parse(options, '')
  expectFloat32(model)
  expectUnprepared(model)
  const all = connectionNodes(model.graph)
  const kept = matching(all, keepFloat32, { what: 'weight', setting: 'keepFloat32' })
  const chosen = new Set(all.filter(node => !kept.has(node)))
  const graph = rewrite(model.graph, (node, { builder }) => {
    if (!chosen.has(node)) return undefined
    const [{ shape }] = node.outputs
    const weight = builder.parameter(node.name, shape, type === 'int8' ? { type: 'zeros' } : initializerOf(node), type)
    if (type !== 'int8') return [builder.emit(cast, [weight], { dtype: 'float32' }, `${node.name}.float32`)]
    const scale = builder.buffer(scaleNameOf(node.name), [shape[0]], { type: 'ones' })
    return [builder.emit(dequantize, [weight, scale], { axis: 0 }, `${node.name}.float32`)]
  })
  const weights: Weights = new Map()
  for (const [name, values] of model.weights) {
    const node = all.find(node => node.name === name)
    if (node === undefined || !chosen.has(node)) weights.set(name, values)
    else if (type === 'int8') {
      const { integers, scales } = integerWeights(values, node.outputs[0].shape[0])
      weights.set(name, integers).set(scaleNameOf(node.name), scales)
    } else {
      const rounded = Float32Array.from(values)
      roundArrayToHalf(rounded, type)
      weights.set(name, rounded)
    }
  }
  return { ...model, graph, weights }
}
