/** @file A model for inference alone: its norms have gone into the convolutions before them, as numbers. */

import { type HostArray, zeroArray } from '../graph/arrays.js'
import { consumers, isState, type Node, stateNodes } from '../graph/graph.js'
import type { TensorType } from '../graph/types.js'
import type { Model, Weights } from '../models/model.js'
import { dequantize } from '../ops/dequantize.js'
import { opDefinition } from '../ops/index.js'
import { foldBatchNorm } from '../passes/fold-batch-norm.js'
import { inferenceMode } from '../passes/inference-mode.js'
import { rewrite } from '../passes/rewrite.js'
import { type IntegerWeights, scaleNameOf } from './integer-weights.js'

/**
 * The model as `evaluationGraph` runs it, with the folded weights and biases as its own: a convolution `conv1` has
 * `conv1.weight` and `conv1.bias`. It computes the same, has fewer operators, and is trained no more. Weights that are kept in int8
 * stay so: the scales of their channels take what the norms multiply by.
 */
export function foldNorms(model: Model): Model {
  const folded = foldBatchNorm(inferenceMode(model.graph))
  const readers = consumers(folded)
  const isKnown = (node: Node): boolean => isState(node) || isWidened(node)
  const isFold = ({ op, inputs }: Node): boolean => op === 'foldedWeights' && inputs.every(({ node }) => isKnown(node))
  const isLeftOut = (node: Node): boolean =>
    isKnown(node) && readers.get(node)!.every(reader => isFold(reader) || isLeftOut(reader))
  const values: Weights = new Map(model.weights)
  const graph = rewrite(folded, (node, { builder }) => {
    if (isLeftOut(node)) return []
    if (!isFold(node)) return undefined
    const [{ name: layer }] = readers.get(node)!
    const names = { weight: `${layer}.weight`, bias: `${layer}.bias` }
    const [{ node: source }] = node.inputs
    const [weight, bias] = numbersOf(node, model.weights)
    values.set(names.bias, bias)
    const sum = builder.parameter(names.bias, node.outputs[1].shape, { type: 'zeros' })
    if (!isWidened(source)) {
      values.set(names.weight, weight)
      return [builder.parameter(names.weight, node.outputs[0].shape, { type: 'zeros' }), sum]
    }
    const { integers, scales } = multiplied(source, factorsOf(node, model.weights), model.weights)
    values.set(names.weight, integers).set(scaleNameOf(names.weight), scales)
    const parts = [
      builder.parameter(names.weight, node.outputs[0].shape, { type: 'zeros' }, 'int8'),
      builder.buffer(scaleNameOf(names.weight), [scales.length], { type: 'ones' }),
    ]
    return [builder.emit(dequantize, parts, { axis: 0 }, `${names.weight}.float32`), sum]
  })
  return { ...model, graph, weights: new Map(stateNodes(graph).map(({ name }) => [name, values.get(name)!])) }
}

/** Weights in int8, a scale for each output channel, as they are made float32. */
const isWidened = ({ op, attrs, inputs }: Node): boolean =>
  op === 'dequantize' &&
  attrs['axis'] === 0 &&
  inputs.length === 2 &&
  inputs.every(({ node }) => isState(node)) &&
  inputs[0].type.dtype === 'int8'

/** What a node computes of numbers that are known. @param first in the place of its first input */
function numbersOf(node: Node, weights: Model['weights'], first?: Numbers): readonly HostArray[] {
  const inputs = node.inputs.map(({ node, type }, i): Numbers => {
    if (i === 0 && first !== undefined) return first
    return { ...type, data: isState(node) ? weights.get(node.name)! : numbersOf(node, weights)[0] }
  })
  const [weight, bias] = node.outputs
  const outputs = [{ ...weight, shape: inputs[0].shape }, ...(bias === undefined ? [] : [bias])].map(type => ({
    ...type,
    data: zeroArray(type),
  }))
  opDefinition(node.op).reference(inputs, outputs, node.attrs)
  return outputs.map(({ data }) => data)
}

type Numbers = TensorType & { readonly data: HostArray }

/** What a norm multiplies each channel by: what becomes of weights of 1. */
function factorsOf(fold: Node, weights: Model['weights']): HostArray {
  const shape = [fold.outputs[1].shape[0], 1, 1, 1]
  return numbersOf(fold, weights, { shape, dtype: 'float32', data: new Float32Array(shape[0]).fill(1) })[0]
}

/** Integers and scales, so that they stand for so many times what they stood for; a scale stays above 0. */
function multiplied({ inputs }: Node, factors: HostArray, weights: Model['weights']): IntegerWeights {
  const [before, scalesBefore] = inputs.map(({ node }) => weights.get(node.name)!)
  const [integers, scales] = [Int8Array.from(before), Float32Array.from(scalesBefore)]
  const perChannel = integers.length / scales.length
  for (const [c, factor] of factors.entries()) {
    const sign = Math.sign(factor)
    for (let i = c * perChannel; i < (c + 1) * perChannel; i++) integers[i] *= sign
    if (sign !== 0) scales[c] *= Math.abs(factor)
  }
  return { integers, scales }
}
