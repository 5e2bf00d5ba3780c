/**
 * @file What ONNX computes for each of our operators. A table beside the operators, as engines have one: how axes lie is ONNX's
 * matter, and operators know nothing of it. What has no row is refused by name.
 */
import { InvalidArgumentError } from '../../errors.js'
import { zeroArray } from '../../graph/arrays.js'
import type { Node } from '../../graph/graph.js'
import { formatShape } from '../../graph/types.js'
import { type ActivationName, isActivation } from '../../ops/activation.js'
import type { AveragePoolAttributes } from '../../ops/average-pool.js'
import type { BatchNormAttributes } from '../../ops/batch-norm.js'
import type { CastAttributes } from '../../ops/cast.js'
import type { FusedConv2dAttributes } from '../../ops/conv2d.js'
import type { FoldedWeightsAttributes } from '../../ops/folded-weights.js'
import type { OpName } from '../../ops/index.js'
import type { PadAttributes } from '../../ops/pad.js'
import type { PoolingAttributes } from '../../ops/pooling.js'
import type { ScaleAttributes } from '../../ops/quantization.js'
import type { ReductionAttributes } from '../../ops/reduction.js'
import type { SliceAttributes } from '../../ops/slice.js'
import { type Exported, type GraphWriter, reshaped, TO_NCHW } from './graph-writer.js'
import { dataTypes } from './tensor.js'

/** What a row gets. */
export interface Emission {
  readonly node: Node
  readonly inputs: readonly Exported[]
  readonly writer: GraphWriter
  /** Whether the output is NCHW. */
  readonly isImage: boolean
}

/** Writes the nodes for one of ours, and returns the name of what is its first output. */
export type Emitter = (emission: Emission) => string

/** Beyond the end of any axis. */
const TO_END = 2 ** 53

const axisOf = (axis: number, isImage: boolean): number => (isImage ? TO_NCHW.indexOf(axis) : axis)
const inOrder = <T>(values: readonly T[], isImage: boolean): T[] =>
  isImage ? TO_NCHW.map(axis => values[axis]) : [...values]
/** [top, bottom, left, right] as ONNX has them. */
const padsOf = ([top, bottom, left, right]: readonly number[]): number[] => [top, left, bottom, right]

const refuse = ({ op, name }: Node, why: string): never => {
  throw new InvalidArgumentError(`${op} '${name}' has no form in ONNX: ${why}`)
}

/** An input with the axes of the output. */
function operand({ node, inputs, writer, isImage }: Emission, i: number): string {
  if (!isImage) return writer.plain(inputs[i])
  return (
    writer.image(inputs[i]) ??
    refuse(node, `a computed ${formatShape(inputs[i].type.shape)} is repeated over the pixels of images`)
  )
}

/** As the input is. */
const same = ({ inputs: [x], writer }: Emission): string => (x.isImage ? x.name! : writer.plain(x))

/** A row for an operator of one input, `x`, that is read as it is, by the name `from`. */
const unary =
  (row: (emission: Emission & { readonly x: Exported; readonly from: string }) => string): Emitter =>
  emission =>
    row({ ...emission, x: emission.inputs[0], from: same(emission) })

/** Of the input's elements in the order in which our graph has them, those of the output. */
function inOurOrder({ node, inputs: [x], writer, isImage }: Emission, write: (plain: string) => string): string {
  const plain = write(writer.plain(x))
  return isImage ? writer.node('Transpose', [plain], { perm: TO_NCHW }, node.name) : plain
}

const activationEmitters: Record<ActivationName, (x: string, writer: GraphWriter, name: string) => string> = {
  relu: (x, writer, name) => writer.node('Relu', [x], {}, name),
  relu6: (x, writer, name) =>
    writer.node('Clip', [x, writer.floats([0], [], `${name}.least`), writer.floats([6], [], `${name}.most`)], {}, name),
  sigmoid: (x, writer, name) => writer.node('Sigmoid', [x], {}, name),
  silu: (x, writer, name) => writer.node('Mul', [x, writer.node('Sigmoid', [x], {}, `${name}.sigmoid`)], {}, name),
  hardSwish: (x, writer, name) => writer.node('HardSwish', [x], {}, name),
  // The operator Gelu is of a later opset.
  gelu: (x, writer, name) => {
    const scaled = writer.node('Mul', [x, writer.floats([Math.SQRT1_2], [], `${name}.scale`)], {}, `${name}.scaled`)
    const erf = writer.node('Erf', [scaled], {}, `${name}.erf`)
    const both = writer.node('Add', [erf, writer.floats([1], [], `${name}.one`)], {}, `${name}.both`)
    const half = writer.node('Mul', [x, writer.floats([0.5], [], `${name}.part`)], {}, `${name}.half`)
    return writer.node('Mul', [half, both], {}, name)
  },
}

const activate = (x: string, writer: GraphWriter, name: string, activation: unknown): string =>
  isActivation(activation) ? activationEmitters[activation](x, writer, name) : x

/** The residual and the activation that an operator has taken in. */
function finish(emission: Emission, y: string, residual: number): string {
  const { node, inputs, writer } = emission
  const { name, attrs } = node
  const sum = inputs[residual] ? writer.node('Add', [y, operand(emission, residual)], {}, `${name}.sum`) : y
  return activate(sum, writer, name, attrs['activation'])
}
/** What a node is called of which others follow. */
const inner = ({ node: { name, attrs }, inputs }: Emission, residual: number): string =>
  inputs[residual] || attrs['activation'] !== undefined ? `${name}.linear` : name

const activationRow =
  (activation: ActivationName): Emitter =>
  emission =>
    activate(same(emission), emission.writer, emission.node.name, activation)

const binary =
  (opType: string): Emitter =>
  emission =>
    emission.writer.node(opType, [operand(emission, 0), operand(emission, 1)], {}, emission.node.name)

const pooling = (node: Node) => {
  const { kernel, stride, padding } = node.attrs as PoolingAttributes
  return { kernel_shape: kernel, strides: stride, pads: padsOf(padding) }
}

const reduction =
  (opType: string, axesAre: 'an attribute' | 'an input'): Emitter =>
  ({ node, inputs: [x], writer }) => {
    const { axes, keepDims } = node.attrs as ReductionAttributes
    // Axes that stay must stay in order.
    const asImage = x.isImage && (keepDims || (axes.includes(1) && axes.includes(2)))
    const read = asImage ? x.name! : writer.plain(x)
    const list = axes.map(axis => axisOf(axis, asImage))
    const given = axesAre === 'an input' ? [read, writer.indices(list, `${node.name}.axes`)] : [read]
    const attributes = { keepdims: Number(keepDims), ...(axesAre === 'an attribute' && { axes: list }) }
    const y = writer.node(opType, given, attributes, node.name)
    return x.isImage && !asImage && keepDims ? writer.node('Transpose', [y], { perm: TO_NCHW }, node.name) : y
  }

/** QuantizeLinear and DequantizeLinear. */
const scaled =
  (opType: string): Emitter =>
  emission => {
    const { node, inputs, writer } = emission
    const { axis } = node.attrs as ScaleAttributes
    const [, scale, zeroPoint] = inputs
    const given = [same(emission), writer.plain(scale)]
    if (zeroPoint !== undefined) given.push(writer.plain(zeroPoint))
    // Without a zero point the result would be uint8.
    else if (node.outputs[0].dtype === 'int8') {
      given.push(writer.tensor({ ...scale.type, dtype: 'int8' }, new Int8Array(scale.known!.values.length), 'zero'))
    }
    const attributes = axis === null ? {} : { axis: axisOf(axis, inputs[0].isImage) }
    return writer.node(opType, given, attributes, node.name)
  }

const emitters: Readonly<Partial<Record<OpName, Emitter>>> = {
  conv2d: emission => {
    const { node, inputs, writer } = emission
    const { stride, padding, dilation, groups } = node.attrs as FusedConv2dAttributes
    const [, weight, bias] = inputs
    const given = [operand(emission, 0), writer.plain(weight), ...(bias ? [writer.plain(bias)] : [])]
    const attributes = {
      ...{ kernel_shape: weight.type.shape.slice(2), strides: stride, pads: padsOf(padding) },
      ...{ dilations: dilation, group: groups },
    }
    return finish(emission, writer.node('Conv', given, attributes, inner(emission, 3)), 3)
  },
  linear: ({ node, inputs, writer }) => writer.node('Gemm', inputs.map(writer.plain, writer), { transB: 1 }, node.name),
  batchNorm: emission => {
    const { node, inputs, writer } = emission
    const { epsilon } = node.attrs as BatchNormAttributes
    const [, ...perChannel] = inputs.slice(0, 5)
    const given = [same(emission), ...perChannel.map(value => writer.plain(value))]
    const y = writer.node('BatchNormalization', given, { epsilon: { float: epsilon } }, inner(emission, 5))
    return finish(emission, y, 5)
  },
  // Of weights that are kept in fewer bits: the numbers that norms multiply them by are known.
  foldedWeights: ({ node, inputs: [weight, gamma, , , variance], writer }) => {
    const { epsilon } = node.attrs as FoldedWeightsAttributes
    const deviations = Array.from(variance.known!.values, v => Math.sqrt(v + epsilon))
    const factors = deviations.map((deviation, c) => gamma.known!.values[c] / deviation)
    const factor = writer.floats(factors, [factors.length, 1, 1, 1], `${node.name}.factor`)
    return writer.node('Mul', [writer.plain(weight), factor], {}, node.name)
  },
  relu: activationRow('relu'),
  relu6: activationRow('relu6'),
  silu: activationRow('silu'),
  gelu: activationRow('gelu'),
  sigmoid: activationRow('sigmoid'),
  hardSwish: activationRow('hardSwish'),
  softmax: unary(({ node, writer, x, from }) => {
    const last = x.type.shape.length - 1
    return writer.node('Softmax', [from], { axis: axisOf(last, x.isImage) }, node.name)
  }),
  maxPool: emission =>
    emission.writer.node('MaxPool', [operand(emission, 0)], pooling(emission.node), emission.node.name),
  averagePool: emission => {
    const { node, writer } = emission
    const { countPadding } = node.attrs as AveragePoolAttributes
    const attributes = { ...pooling(node), count_include_pad: Number(countPadding) }
    return writer.node('AveragePool', [operand(emission, 0)], attributes, node.name)
  },
  globalAveragePool: emission =>
    emission.writer.node('GlobalAveragePool', [operand(emission, 0)], {}, emission.node.name),
  add: binary('Add'),
  multiply: binary('Mul'),
  multiplyAdd: emission => {
    const { node, writer } = emission
    const product = writer.node('Mul', [operand(emission, 0), operand(emission, 1)], {}, `${node.name}.product`)
    return writer.node('Add', [product, operand(emission, 2)], {}, node.name)
  },
  reduceSum: reduction('ReduceSum', 'an input'),
  reduceMean: reduction('ReduceMean', 'an attribute'),
  reduceMax: reduction('ReduceMax', 'an attribute'),
  flatten: emission => inOurOrder(emission, x => emission.writer.node('Flatten', [x], { axis: 1 }, emission.node.name)),
  reshape: emission => {
    const { node, inputs, writer } = emission
    const [x] = inputs
    const [{ shape }] = node.outputs
    if (shape[0] !== x.type.shape[0] || x.type.shape.length === 0) refuse(node, 'it joins the images of a batch')
    return inOurOrder(emission, from =>
      writer.node('Reshape', [from, writer.indices(reshaped(shape), `${node.name}.shape`)], {}, node.name),
    )
  },
  pad: unary(({ node, writer, x, from }) => {
    const { before, after, value } = node.attrs as PadAttributes
    const pads = writer.indices([...inOrder(before, x.isImage), ...inOrder(after, x.isImage)], `${node.name}.pads`)
    const { dtype } = x.type
    const fill = writer.tensor({ shape: [], dtype }, zeroArray({ shape: [], dtype }).fill(value), `${node.name}.value`)
    return writer.node('Pad', [from, pads, fill], {}, node.name)
  }),
  slice: unary(({ node, writer, x, from }) => {
    const { start, stop, step } = node.attrs as SliceAttributes
    if (start[0] !== 0 || stop[0] !== -1 || step[0] !== 1) refuse(node, 'it takes some images of a batch')
    const cut = [...start.keys()].filter(axis => start[axis] > 0 || stop[axis] !== -1 || step[axis] !== 1)
    const list = (what: string, of: (axis: number) => number) => writer.indices(cut.map(of), `${node.name}.${what}`)
    const given = [
      list('starts', axis => start[axis]),
      list('ends', axis => (stop[axis] === -1 ? TO_END : stop[axis])),
      list('axes', axis => axisOf(axis, x.isImage)),
      list('steps', axis => step[axis]),
    ]
    return writer.node('Slice', [from, ...given], {}, node.name)
  }),
  cast: unary(({ node, writer, x, from }) => {
    const { dtype } = node.attrs as CastAttributes
    const to = writer.typeOf(dtype)
    return x.type.dtype === to ? from : writer.node('Cast', [from], { to: dataTypes[to] }, node.name)
  }),
  quantize: scaled('QuantizeLinear'),
  dequantize: scaled('DequantizeLinear'),
}

/** @throws InvalidArgumentError for an operator that is not in the table */
export function emitterOf(node: Node): Emitter {
  return (
    emitters[node.op as OpName] ?? refuse(node, 'export the model as it is for inference, or do without the operator')
  )
}
