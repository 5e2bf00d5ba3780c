/**
 * @file For inference: a layer between `dequantize` and `quantize` becomes one that computes in integers (Jacob et al. 2018, arXiv
 * 1712.05877, section 2). What moves and compares numbers, such as max pooling, does it with the integers.
 */
import type { Graph, Node, Value } from '../graph/graph.js'
import type { Conv2dAttributes, FusedConv2dAttributes } from '../ops/conv2d.js'
import type { DequantizeAttributes } from '../ops/dequantize.js'
import { isSelection, opDefinition } from '../ops/index.js'
import { foldZeroPoint, integerConv2d } from '../ops/integer-conv2d.js'
import { multiply } from '../ops/multiply.js'
import { pad } from '../ops/pad.js'
import type { ActivationScale } from '../ops/quantization.js'
import { reshape } from '../ops/reshape.js'
import { soleReaderIn } from './readers.js'
import { type RewriteContext, rewrite } from './rewrite.js'

/** A model's graph (in inference mode) with integer operators where there is all that they need; the others stay as they are. */
export function integerArithmetic(graph: Graph): Graph {
  if (!graph.nodes.some(({ op }) => op === 'quantize')) return graph
  const soleReader = soleReaderIn(graph)
  /** A layer whose result is read as integers alone, by the node that makes them. */
  const layers = new Map<Node, Node>()
  for (const node of graph.nodes) {
    if (layerOf(node) === undefined) continue
    const next = soleReader(node)
    layers.set(next !== undefined && scaleAt(next) !== undefined && next.op === 'quantize' ? next : node, node)
  }
  const inner = new Set([...layers].flatMap(([last, node]) => (last === node ? [] : [node])))
  const moved = new Map<Node, Value>()
  return rewrite(graph, (node, context) => {
    if (inner.has(node)) return []
    const layer = layers.get(node)
    if (layer === undefined) return undefined
    return [integerLayer(context, moved, layer, node === layer ? undefined : scaleAt(node))]
  })
}

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
  const padded = zeroPoint === 0 ? undefined : paddingOf(attrs)
  const whole = integers(x, layer.x.scale)
  const input = padded ? builder.emit(pad, [whole], { ...padded, value: zeroPoint }, `${node.name}.pad`) : whole
  const inputs = [input, integerWeight, scale, folded]
  if (residual !== undefined) inputs.push(integers(residual, layer.residual!.scale))
  return builder.emit(
    integerConv2d,
    inputs,
    {
      ...{ ...attrs, ...(padded && { padding: [0, 0, 0, 0] as const }), ...common },
      ...(activation && { activation }),
      ...(layer.residual && { residual: layer.residual.scale }),
    },
    node.name,
  )
}

/** As `pad` takes it; undefined for none. */
function paddingOf({ padding: [top, bottom, left, right] }: Conv2dAttributes) {
  if (top + bottom + left + right === 0) return undefined
  return { before: [0, top, left, 0], after: [0, bottom, right, 0] }
}
