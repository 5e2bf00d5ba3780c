/**
 * @file The second half of quantization: of a model that rounds numbers as integers, one that has integers. The graph says so
 * explicitly, as ONNX's does, by `quantize` and `dequantize` between layers; from these an engine finds what it can compute in
 * integers (passes/integer-arithmetic.ts).
 */
import { InvalidArgumentError } from '../errors.js'
import { type Node, stateNodes } from '../graph/graph.js'
import type { Model, Weights } from '../models/model.js'
import { modelOf } from '../models/model-setting.js'
import type { FakeQuantizeWeightsAttributes } from '../ops/fake-quantize.js'
import { type ActivationScale, scaleOfExtent } from '../ops/quantization.js'
import { foldBatchNorm } from '../passes/fold-batch-norm.js'
import { rewrite } from '../passes/rewrite.js'
import { group, type Rows } from '../settings/group.js'
import {
  activationsOf,
  emitIntegerLayer,
  integerActivations,
  isLayer,
  parametersOf,
  roundedActivation,
} from './integer-layers.js'
import { keepFloat32Setting, keptLayers } from './kept-layers.js'

/** What of a prepared model becomes no integers. */
export interface ConvertOptions {
  /** Patterns over names of layers that stay float32 after all. Default: none. */
  readonly keepFloat32?: readonly string[]
}

const convertOptions = group('what is converted', { keepFloat32: keepFloat32Setting } satisfies Rows<ConvertOptions>)

/** Whether a model rounds numbers as integers will be: `prepareQuantization` made it. */
export const roundsAsIntegers = (model: Model): boolean => modelOf(model).graph.nodes.some(isRounded)

/** @throws InvalidArgumentError for a model that rounds numbers as integers will be: it is not quantized in another way */
export function expectUnprepared(model: Model): void {
  if (!roundsAsIntegers(model)) return
  throw new InvalidArgumentError(`${model.name} is prepared to be quantized: convertQuantization makes integers of it`)
}

const isRounded = (node: Node): boolean => isLayer(node) && node.inputs[1].node.op === 'fakeQuantizeWeights'

/**
 * The integers of a model that `prepareQuantization` made, trained or not. It computes as that one did, but for biases, which
 * become whole numbers too.
 * @returns a model that can be measured, saved and exported, and trained no more
 * @throws InvalidArgumentError for a model that is not prepared; SettingError for a pattern that matches no layer
 */
export function convertQuantization(model: Model, options: ConvertOptions = {}): Model {
  const { keepFloat32 } = convertOptions.parse(options, '')
  if (!roundsAsIntegers(model)) {
    throw new InvalidArgumentError(
      `${model.name} is not prepared to be quantized: prepareQuantization makes such a model`,
    )
  }
  // Layers are joined with the residual and activation behind them, as integers compute them.
  const joined = foldBatchNorm(model.graph)
  const prepared = joined.nodes.filter(isRounded)
  const kept = keptLayers(joined.nodes.filter(isLayer), keepFloat32)
  const chosen = new Set(prepared.filter(node => !kept.has(node)))
  const rounded = new Set(integerActivations(joined, chosen).map(({ node }) => node))
  const integers = new Set([...chosen].flatMap(layer => [layer.inputs[1].node, ...parametersOf(layer)]))

  const weights: Weights = new Map(model.weights)
  for (const { name } of integers) weights.delete(name)
  const graph = rewrite(joined, (node, { builder, mapped }) => {
    if (integers.has(node)) return []
    if (chosen.has(node)) {
      const [x, weight, , residual] = node.inputs
      const inputs = [x, ...(residual ? [residual] : [])].map(mapped)
      const { largest } = weight.node.attrs as FakeQuantizeWeightsAttributes
      const scale = scaleIn(activationsOf(node)[0].node)
      const { outputs, state } = emitIntegerLayer(builder, node, inputs, { weights: model.weights, scale, largest })
      for (const [name, values] of state) weights.set(name, values)
      return outputs
    }
    if (node.op === 'fakeQuantizeWeights') return [mapped(node.inputs[0])]
    if (node.op !== 'fakeQuantize') return undefined
    const x = mapped(node.inputs[0])
    return [rounded.has(node) ? roundedActivation(builder, x, scaleIn(node)) : x]
  })
  return { ...model, graph, weights: new Map(stateNodes(graph).map(({ name }) => [name, weights.get(name)!])) }

  function scaleIn({ inputs: [, extent] }: Node): ActivationScale {
    return scaleOfExtent(model.weights.get(extent.node.name)!)
  }
}
