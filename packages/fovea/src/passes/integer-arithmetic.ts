/**
 * @file For inference: a layer between `dequantize` and `quantize` becomes one that computes in integers (Jacob et al. 2018, arXiv
 * 1712.05877, section 2), and so do sums, products and means between them. What moves and compares numbers, such as max pooling, does
 * it with the integers.
 */
import type { Graph, Node, Value } from '../graph/graph.js'
import type { AveragePoolAttributes } from '../ops/average-pool.js'
import type { FusedConv2dAttributes } from '../ops/conv2d.js'
import type { DequantizeAttributes } from '../ops/dequantize.js'
import { integerAveragePool } from '../ops/integer-average-pool.js'
import { integerAdd, integerMultiply } from '../ops/integer-binary.js'
import { foldZeroPoint, integerConv2d } from '../ops/integer-conv2d.js'
import { multiply } from '../ops/multiply.js'
import type { ActivationScale } from '../ops/quantization.js'
import { quantizedProduct } from '../ops/quantized-product.js'
import { reshape } from '../ops/reshape.js'
import { type Integers, integersOf, isQuantizeToUint8, movingIntegers, scaleAt } from './integer-values.js'
import { soleReaderIn } from './readers.js'
import { type RewriteContext, rewrite } from './rewrite.js'

/** A model's graph (in inference mode) with integer operators where there is all that they need; the others stay as they are. */
export function integerArithmetic(graph: Graph): Graph {
  if (!graph.nodes.some(({ op }) => op === 'quantize')) return graph
  const soleReader = soleReaderIn(graph)
  /** What computes in integers, by the last node of each: that makes integers, where the result is read as such alone. */
  const joined = new Map<Node, readonly Node[]>()
  for (const node of graph.nodes) {
    const next = soleReader(node)
    const isSum = node.op === 'add' && next?.op === 'relu'
    const last = isSum ? soleReader(next) : next
    const quantizes = last !== undefined && isQuantizeToUint8(last)
    if (layerOf(node)) joined.set(next && isQuantizeToUint8(next) ? next : node, [node])
    else if (quantizes && emitterOf(node)) joined.set(last, isSum ? [node, next] : [node])
  }
  const inner = new Set([...joined].flatMap(([last, nodes]) => nodes.filter(node => node !== last)))
  const moved = new Map<Node, Value>()
  return rewrite(graph, (node, context) => {
    if (inner.has(node)) return []
    const nodes = joined.get(node)
    if (nodes === undefined) return undefined
    const [first, activation] = nodes
    const output = node === first ? undefined : scaleAt(node)
    if (layerOf(first)) return [integerLayer(context, moved, first, output)]
    return [emitterOf(first)!(context, moved, { output: output!, relu: activation !== undefined })]
  })
}

interface Between {
  readonly output: ActivationScale
  readonly relu: boolean
}

type Emit = (context: RewriteContext, moved: Map<Node, Value>, between: Between) => Value

/** How what stands between layers is written where it is read as integers alone; undefined for what has no such form. */
function emitterOf(node: Node): Emit | undefined {
  const { op, name, inputs, attrs } = node
  const isFloat = node.outputs[0]?.dtype === 'float32'
  const [a, b] = inputs.map(integersOf)
  if (op === 'averagePool' || op === 'globalAveragePool') {
    return (
      a &&
      ((context, moved, { output }) => {
        const [, height, width] = inputs[0].type.shape
        const whole = { kernel: [height, width], stride: [1, 1], padding: [0, 0, 0, 0], countPadding: false } as const
        const windows = op === 'averagePool' ? (attrs as AveragePoolAttributes) : whole
        const x = movingIntegers(context, moved)(inputs[0], a.scale)
        return context.builder.emit(integerAveragePool, [x], { ...windows, input: a.scale, output }, name)
      })
    )
  }
  if (op !== 'add' && op !== 'multiply') return undefined
  if (a && b) {
    return (context, moved, { output, relu }) => {
      const move = movingIntegers(context, moved)
      const given = [move(inputs[0], a.scale), move(inputs[1], b.scale)]
      const of = { a: a.scale, b: b.scale, output }
      if (op === 'multiply') return context.builder.emit(integerMultiply, given, of, name)
      return context.builder.emit(integerAdd, given, { ...of, ...(relu && { activation: 'relu' }) }, name)
    }
  }
  if (op === 'add' || !isFloat) return undefined
  return ({ builder, mapped }, _, { output }) => builder.emit(quantizedProduct, inputs.map(mapped), output, name)
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
  context: RewriteContext,
  moved: Map<Node, Value>,
  node: Node,
  output: ActivationScale | undefined,
): Value {
  const { builder, mapped } = context
  const integers = movingIntegers(context, moved)
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
