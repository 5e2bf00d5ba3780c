/** @file Layers that can compute in integers, and how such a layer is written: as numbers that `dequantize` makes of integers. */
import { consumers, type Graph, type Node, type Value } from '../graph/graph.js'
import type { Weights } from '../models/model.js'
import type { GraphBuilder } from '../ops/builder.js'
import { dequantize } from '../ops/dequantize.js'
import { isSelection, opDefinition } from '../ops/index.js'
import { multiply } from '../ops/multiply.js'
import { type ActivationScale, nearestInteger } from '../ops/quantization.js'
import { quantize } from '../ops/quantize.js'
import { integerWeights } from './integer-weights.js'

/** A convolution or matrix. */
export const isLayer = ({ op }: Node): boolean => op === 'conv2d' || op === 'linear'

/** What holds a layer's weight; where the model is prepared to be quantized, it is rounded on its way. */
export const weightOf = ({ inputs: [, { node }] }: Node): Node =>
  node.op === 'fakeQuantizeWeights' ? node.inputs[0].node : node

/** The parameters of a layer: its weight, and its bias if it has one. */
export const parametersOf = (layer: Node): Node[] => {
  const [, , bias] = layer.inputs
  return [weightOf(layer), ...(bias ? [bias.node] : [])]
}

/** Those layers whose weight and bias are parameters of their own. */
export function integerLayers(graph: Graph): Node[] {
  const readers = consumers(graph)
  const isOwn = (node: Node): boolean => node.op === 'parameter' && readers.get(node)!.length === 1
  return graph.nodes.filter(node => isLayer(node) && parametersOf(node).every(isOwn))
}

/** The activations that a layer reads, each by the value of whose elements it consists. */
export const activationsOf = ({ inputs: [x, , , residual] }: Node): Value[] =>
  [x, ...(residual === undefined ? [] : [residual])].map(sourceOf)

/** Sums, products and means, which have a form in integers (passes/integer-arithmetic.ts). */
const between: ReadonlySet<string> = new Set(['add', 'multiply', 'averagePool', 'globalAveragePool'])

/**
 * The activations that become integers for the sake of some layers: those that they read; and where one is a sum, product or mean of
 * what comes out of integers itself, also what that reads, so that it is computed in integers.
 * @returns each by the value of whose elements it consists
 */
export function integerActivations(graph: Graph, layers: ReadonlySet<Node>): Value[] {
  const readers = consumers(graph)
  const found = new Map<Node, Value>()
  const add = (value: Value): void => {
    found.set(value.node, value)
  }
  for (const value of [...layers].flatMap(activationsOf)) add(value)
  const made = ({ node }: Value): boolean =>
    found.has(node) || layers.has(madeBy(node)) || (joinedBy(node)?.inputs.map(sourceOf).every(made) ?? false)
  // In a map, what is added is visited later.
  for (const { node } of found.values()) {
    const inputs = joinedBy(node)?.inputs.map(sourceOf)
    if (inputs?.every(made)) inputs.forEach(add)
  }
  return [...found.values()]

  /** What makes an activation, if that is between layers; a relu may follow a sum. */
  function joinedBy(rounded: Node): Node | undefined {
    const node = madeBy(rounded)
    if (between.has(node.op)) return node
    const [{ node: sum }] = node.op === 'relu' ? node.inputs : [{ node }]
    return sum.op === 'add' && readers.get(sum)!.length === 1 ? sum : undefined
  }
}

/** In a model that rounds its numbers, what is rounded. */
const madeBy = (node: Node): Node => (node.op === 'fakeQuantize' ? node.inputs[0].node : node)

/** What is moved, cut and padded with zeros takes no range of its own. */
export const sourceOf = (value: Value): Value =>
  isSelection(value.node) && value.index === 0 ? sourceOf(value.node.inputs[0]) : value

/** Numbers as the nearest of those that a uint8 stands for. */
export function roundedActivation(builder: GraphBuilder, x: Value, { scale, zeroPoint }: ActivationScale): Value {
  const given = [builder.constant(scale), builder.constant(zeroPoint, [], 'uint8')]
  const { name } = x.node
  const integers = builder.emit(quantize, [x, ...given], { axis: null, dtype: 'uint8' }, `${name}.uint8`)
  return builder.emit(dequantize, [integers, ...given], { axis: null }, `${name}.float32`)
}

/** A bias must be far from the end of 32 bits: sums of products are added to it. */
const MOST_BIAS = 2 ** 30

/** What is given to write a layer. */
export interface LayerParts {
  /** The layer's weight and bias, by name. */
  readonly weights: Weights
  /** Of its input. */
  readonly scale: ActivationScale
  /** No weight lies beyond it or its negative. */
  readonly largest: number
  /** Put behind the names of parameters. */
  readonly suffix?: string
}

/**
 * A layer whose weight is int8, with a scale for each output channel, and whose bias is int32, in steps of a product.
 * @param inputs of the new graph: x, and the residual if there is one
 * @returns its outputs, and the state that belongs to it
 */
export function emitIntegerLayer(
  builder: GraphBuilder,
  layer: Node,
  [x, ...rest]: readonly Value[],
  { weights, scale: { scale }, largest, suffix = '' }: LayerParts,
): { readonly outputs: readonly Value[]; readonly state: Weights } {
  const [, { type }, bias] = layer.inputs
  const weight = weightOf(layer)
  const name = `${weight.name}${suffix}`
  const [channels] = type.shape
  const values = bias && weights.get(bias.node.name)!
  const { integers, scales } = integerWeights(weights.get(weight.name)!, channels, {
    largest,
    ...(values && { leastScales: Float64Array.from(values, b => Math.abs(b) / scale / MOST_BIAS) }),
  })
  const state: Weights = new Map()
  state.set(name, integers).set(`${name}_scale`, scales)
  const weightScale = builder.buffer(`${name}_scale`, [channels], { type: 'ones' })
  const integerWeight = builder.parameter(name, type.shape, { type: 'zeros' }, 'int8')
  const given = [x, builder.emit(dequantize, [integerWeight, weightScale], { axis: 0, largest }, `${name}.float32`)]
  if (values !== undefined) {
    const biasName = `${bias.node.name}${suffix}`
    state.set(
      biasName,
      Int32Array.from(values, (b, c) => nearestInteger(b, Math.fround(scales[c] * scale))),
    )
    const biasScale = builder.emit(multiply, [weightScale, builder.constant(scale)], {}, `${biasName}.scale`)
    const integerBias = builder.parameter(biasName, [channels], { type: 'zeros' }, 'int32')
    given.push(builder.emit(dequantize, [integerBias, biasScale], { axis: 0 }, `${biasName}.float32`))
  }
  const outputs = builder.emitAll(opDefinition(layer.op), [...given, ...rest], layer.attrs, layer.name)
  return { outputs, state }
}
