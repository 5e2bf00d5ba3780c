/**
 * @file For inference: a layer between `dequantize` and `quantize` becomes one that computes in integers (Jacob et al. 2018, arXiv
 * 1712.05877, section 2). What moves and compares numbers, such as max pooling, does it with the integers.
 */
import type { Graph, Node, Value } from '../graph/graph.js'
import type { FusedConv2dAttributes } from '../ops/conv2d.js'
import type { DequantizeAttributes } from '../ops/dequantize.js'
import { isSelection, opDefinition } from '../ops/index.js'
import { foldZeroPoint, integerConv2d } from '../ops/integer-conv2d.js'
import { multiply } from '../ops/multiply.js'
import type { ActivationScale } from '../ops/quantization.js'
import { quantizedProduct } from '../ops/quantized-product.js'
import { reshape } from '../ops/reshape.js'
import { soleReaderIn } from './readers.js'
import { type RewriteContext, rewrite } from './rewrite.js'

/** A model's graph (in inference mode) with integer operators where there is all that they need; the others stay as they are. */
export function integerArithmetic(graph: Graph): Graph {
  if (!graph.nodes.some(({ op }) => op === 'quantize')) return graph
  const soleReader = soleReaderIn(graph)
  /** Layers and products, by the last node of each: it makes integers, where the result is read as such alone. */
  const joined = new Map<Node, Node>()
  for (const node of graph.nodes) {
    const isLayer = layerOf(node) !== undefined
    if (!isLayer && !isProduct(node)) continue
    const next = soleReader(node)
    const quantizes = next !== undefined && isQuantizeToUint8(next)
    if (isLayer || quantizes) joined.set(quantizes ? next : node, node)
  }
  const inner = new Set([...joined].flatMap(([last, node]) => (last === node ? [] : [node])))
  const moved = new Map<Node, Value>()
  return rewrite(graph, (node, context) => {
    if (inner.has(node)) return []
    const first = joined.get(node)
    if (first === undefined) return undefined
    const output = node === first ? undefined : scaleAt(node)
    if (!isProduct(first)) return [integerLayer(context, moved, first, output)]
    return [context.builder.emit(quantizedProduct, first.inputs.map(context.mapped), output!, first.name)]
  })
}

const isProduct = ({ op, outputs: [{ dtype }] }: Node): boolean => op === 'multiply' && dtype === 'float32'

const isQuantizeToUint8 = (node: Node): boolean =>
  node.op === 'quantize' && node.outputs[0].dtype === 'uint8' && scaleAt(node) !== undefined

/** One scale for all of a tensor, if both it and the zero point are constants of the graph. */
function scaleAt({ inputs: [, scale, zeroPoint], attrs }: Node): ActivationScale | undefined {
  const numbers = [scale, zeroPoint].map(value => value?.node.op === 'constant' && value.node.attrs['value'])
  const [first, second] = numbers
  return attrs['axis'] === null && typeof first === 'number' && typeof second === 'number'
    ? { scale: first, zeroPoint: second }
    : undefined
}

/** An activation as integers: what a `dequantize` reads, moved as its numbers are. */
interface Integers {
  readonly source: Node
  readonly scale: ActivationScale
}

function integersOf({ node, index }: Value): Integers | undefined {
  if (node.op === 'dequantize') {
    const scale = scaleAt(node)
    return scale && node.inputs[0].type.dtype === 'uint8' ? { source: node, scale } : undefined
  }
  return isSelection(node) && index === 0 ? integersOf(node.inputs[0]) : undefined
}

/** int8 with a scale for each output channel. */
const isIntegerWeight = ({ node }: Value): boolean =>
  node.op === 'dequantize' &&
  node.inputs.length === 2 &&
  node.inputs[0].type.dtype === 'int8' &&
  node.attrs['axis'] === 0

/** int32 in steps of a product of weight and activation. */
function isIntegerBias({ node }: Value, weight: Value, { scale }: ActivationScale): boolean {
  if (node.op !== 'dequantize' || node.inputs.length !== 2 || node.inputs[0].type.dtype !== 'int32') return false
  const { node: product } = node.inputs[1]
  if (product.op !== 'multiply') return false
  const [a, b] = product.inputs
  return a.node === weight.node.inputs[1].node && b.node.op === 'constant' && b.node.attrs['value'] === scale
}

interface Layer {
  readonly x: Integers
  readonly residual: Integers | undefined
}

/** A convolution or matrix all of whose inputs are integers. */
function layerOf({ op, inputs }: Node): Layer | undefined {
  if (op !== 'conv2d' && op !== 'linear') return undefined
  const [x, weight, bias, residual] = inputs
  const integers = integersOf(x)
  if (integers === undefined || !isIntegerWeight(weight)) return undefined
  if (bias !== undefined && !isIntegerBias(bias, weight, integers.scale)) return undefined
  if (residual === undefined) return { x: integers, residual: undefined }
  const added = integersOf(residual)
  return added && { x: integers, residual: added }
}

function integerLayer(
  { builder, mapped }: RewriteContext,
  moved: Map<Node, Value>,
  node: Node,
  output: ActivationScale | undefined,
): Value {
  /** The integers of an activation, by the same steps as its numbers. */
  const integers = (value: Value, { zeroPoint }: ActivationScale): Value => {
    const { node } = value
    if (node.op === 'dequantize') return mapped(node.inputs[0])
    const made = moved.get(node)
    if (made !== undefined) return made
    const attrs = node.op === 'pad' ? { ...node.attrs, value: zeroPoint } : node.attrs
    const x = integers(node.inputs[0], { scale: 1, zeroPoint })
    const result = builder.emit(opDefinition(node.op), [x], attrs, `${node.name}.uint8`)
    moved.set(node, result)
    return result
  }
  const layer = layerOf(node)!
  const { zeroPoint } = layer.x.scale
  const [x, weight, bias, residual] = node.inputs
  const [channels] = weight.type.shape
  const [integerWeight, weightScale] = weight.node.inputs.map(mapped)
  const scale = builder.emit(multiply, [weightScale, builder.constant(layer.x.scale.scale)], {}, `${node.name}.scale`)
  const ownBias = bias ? mapped(bias.node.inputs[0]) : builder.constant(0, [channels], 'int32')
  const folded =
    zeroPoint === 0
      ? ownBias
      : builder.emit(foldZeroPoint, [integerWeight, ownBias], { zeroPoint }, `${node.name}.bias`)
  const { largest = 128 } = weight.node.attrs as DequantizeAttributes
  const common = { largest, ...(output && { output }) }

  if (node.op === 'linear') {
    const [, features] = x.type.shape
    const image = builder.emit(
      reshape,
      [integers(x, layer.x.scale)],
      { shape: [-1, 1, 1, features] },
      `${node.name}.image`,
    )
    const window = builder.emit(reshape, [integerWeight], { shape: [channels, features, 1, 1] }, `${node.name}.window`)
    const pointwise = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 } as const
    const y = builder.emit(integerConv2d, [image, window, scale, folded], { ...pointwise, ...common }, node.name)
    return builder.emit(reshape, [y], { shape: [-1, channels] }, `${node.name}.row`)
  }
  const { activation, ...attrs } = node.attrs as FusedConv2dAttributes
  const inputs = [integers(x, layer.x.scale), integerWeight, scale, folded]
  if (residual !== undefined) inputs.push(integers(residual, layer.residual!.scale))
  return builder.emit(
    integerConv2d,
    inputs,
    {
      ...{ ...attrs, ...common },
      ...(zeroPoint > 0 && attrs.padding.some(Boolean) && { zeroPoint }),
      ...(activation && { activation }),
      ...(layer.residual && { residual: layer.residual.scale }),
    },
    node.name,
  )
}
