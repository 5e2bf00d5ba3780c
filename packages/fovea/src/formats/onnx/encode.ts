/**
 * @file A model as an ONNX file (https://onnx.ai) for inference elsewhere: norms folded into convolutions, a batch of any size,
 * and in its metadata the labels and the preprocessing. Images are NCHW there.
 */
import { expectUnprepared } from '../../compress/convert-quantization.js'
import { isQuantized } from '../../compress/expect-float32.js'
import { foldNorms } from '../../compress/fold-norms.js'
import { InvalidArgumentError } from '../../errors.js'
import { fillConstant, type HostArray, zeroArray } from '../../graph/arrays.js'
import { isHalf } from '../../graph/float16.js'
import { isState, type Node, preparedNodes, type Value } from '../../graph/graph.js'
import type { TensorType } from '../../graph/types.js'
import type { Model } from '../../models/model.js'
import { modelOf } from '../../models/model-setting.js'
import { opDefinition } from '../../ops/index.js'
import { setBatchSize } from '../../passes/set-batch-size.js'
import { group, type Rows } from '../../settings/group.js'
import { choice, flag } from '../../settings/kinds.js'
import { type Exported, GraphWriter, TO_NCHW } from './graph-writer.js'
import type { Draft } from './messages.js'
import { dataTypes } from './tensor.js'
import { emitterOf } from './to-onnx.js'
import { encodeMessage } from './wire.js'

/** What the numbers of an ONNX file are. */
export const onnxPrecisions = ['float32', 'float16', 'int8'] as const
/** One of `onnxPrecisions`. */
export type OnnxPrecision = (typeof onnxPrecisions)[number]

/** How a model is written as ONNX. */
export interface OnnxOptions {
  /**
   * `float16`: weights and arithmetic are, input and output stay float32. `int8` is what models are that were quantized. Default:
   * what the model is.
   */
  readonly precision?: OnnxPrecision
  /**
   * Whether pixels go in and probabilities come out: input `image`, uint8 [batch, height, width, channels], output
   * `probabilities`. Default: normalized float32 images go in and logits come out: `pixel_values` [batch, channels, height, width],
   * `logits`.
   */
  readonly preprocessing?: boolean
}

const onnxOptions = group('how a model is written as ONNX', {
  precision: choice('what its numbers are', onnxPrecisions).optional(),
  preprocessing: flag('whether pixels go in and probabilities come out').default(false),
} satisfies Rows<OnnxOptions>)

/** ONNX 1.12: what browsers and small runtimes have. HardSwish is of 14, Pad and Slice with their numbers as inputs of 13 and 10. */
const OPSET = 17
const IR_VERSION = 8

/** Whether a model computes in integers, rather than keeping some weights in fewer bits. */
const computesInIntegers = ({ graph }: Model): boolean => graph.nodes.some(({ op }) => op === 'quantize')

/** What a model is written as if nothing is said. */
export const onnxPrecisionOf = (model: Model): OnnxPrecision =>
  computesInIntegers(modelOf(model)) ? 'int8' : 'float32'

/**
 * The file as chunks. Equal models give equal bytes.
 * @throws InvalidArgumentError naming an operator that ONNX has not, or a precision that the model cannot be written in
 */
export function encodeOnnx(model: Model, options: OnnxOptions = {}): Uint8Array[] {
  modelOf(model)
  const { precision = onnxPrecisionOf(model), preprocessing } = onnxOptions.parse(options, '')
  expectUnprepared(model)
  checkPrecision(model, precision)
  const writer = new GraphWriter(precision === 'float16' ? 'float16' : 'float32', Object.values(onnxNames))
  const { name, labels, preprocessing: prepare } = model
  const [height, width, channels] = prepare.size
  const input = preprocessing ? onnxNames.pixels : onnxNames.image
  const image = preprocessing
    ? normalized(writer, model)
    : writer.compute === 'float16'
      ? halved(writer)
      : onnxNames.image
  const logits = writeGraph(writer, model, image)
  const single =
    writer.compute === 'float32' ? logits : writer.node('Cast', [logits], { to: dataTypes.float32 }, 'single')
  const result = preprocessing ? writer.node('Softmax', [single], { axis: 1 }, 'softmax') : single
  const output = preprocessing ? onnxNames.probabilities : onnxNames.logits
  return encodeMessage('ModelProto', {
    irVersion: IR_VERSION,
    producerName: 'fovea',
    graph: {
      node: writer.nodes.map(node => renamed(node, result, output)),
      name,
      initializer: writer.initializers,
      input: [
        preprocessing
          ? valueInfo(input, 'uint8', ['batch', height, width, channels])
          : valueInfo(input, 'float32', ['batch', channels, height, width]),
      ],
      output: [valueInfo(output, 'float32', ['batch', labels.length])],
    },
    opsetImport: [{ domain: '', version: OPSET }],
    metadataProps: Object.entries({ model: name, labels, preprocessing: prepare }).map(([key, value]) => ({
      key,
      value: typeof value === 'string' ? value : JSON.stringify(value),
    })),
  })
}

/** Of inputs and outputs: without preprocessing `image` and `logits`, which Hugging Face calls so; with it the others. */
export const onnxNames = {
  image: 'pixel_values',
  logits: 'logits',
  pixels: 'image',
  probabilities: 'probabilities',
} as const

function checkPrecision(model: Model, precision: OnnxPrecision): void {
  const own = onnxPrecisionOf(model)
  if (own === 'int8' && precision !== 'int8') {
    throw new InvalidArgumentError(
      `${model.name} computes in integers: it is written as int8. For ${precision}, write the model that it was made from`,
    )
  }
  if (own !== 'int8' && precision === 'int8') {
    const why = isQuantized(model) ? 'only its weights are kept in fewer bits' : 'it is not quantized'
    throw new InvalidArgumentError(
      `${model.name} does not compute in integers: ${why}; quantizeModel makes such a model`,
    )
  }
}

/** Writes all nodes of a model. @returns the name of the logits */
function writeGraph(writer: GraphWriter, model: Model, image: string): string {
  const { graph, weights } = foldNorms({ ...model, graph: setBatchSize(model.graph, 1) })
  const prepared = preparedNodes(graph)
  const values = new Map<Node, readonly Exported[]>()
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(value => valueIn(values, value))
    values.set(node, node.op === 'input' ? [exported(node.outputs[0], image, true)] : exportNode(node, inputs))
  }
  return writer.plain(valueIn(values, graph.outputs.get('logits')!))

  function exportNode(node: Node, inputs: readonly Exported[]): readonly Exported[] {
    const known = numbersOf(node, inputs, weights)
    if (known !== undefined) {
      return node.outputs.map((type, i) => ({
        type,
        known: { name: nameOf(node, i), values: known[i] },
        isImage: false,
      }))
    }
    const isImage = !prepared.has(node) && node.outputs[0].shape.length === 4
    const name = emitterOf(node)({ node, inputs, writer, isImage })
    const first = exported(node.outputs[0], name, isImage)
    // The bias is no matter of the weights, so it is known.
    return node.op === 'foldedWeights' ? [first, { ...foldedBias(node, inputs), isImage: false }] : [first]
  }
}

const exported = (type: TensorType, name: string, isImage: boolean): Exported => ({ type, name, isImage })

function valueIn(values: ReadonlyMap<Node, readonly Exported[]>, { node, index }: Value): Exported {
  const value = values.get(node)![index]
  if (value !== undefined) return value
  throw new InvalidArgumentError(`${node.op} '${node.name}' has no form in ONNX: its output ${index + 1} is read`)
}

const nameOf = ({ name }: Node, output: number): string => (output === 0 ? name : `${name}:${output}`)

/** What is known of a node when the model is written; weights in fewer bits stay in them. */
function numbersOf(
  node: Node,
  inputs: readonly Exported[],
  weights: Model['weights'],
): readonly HostArray[] | undefined {
  if (isState(node)) return [weights.get(node.name)!]
  if (node.op === 'constant') return [fillConstant(zeroArray(node.outputs[0]), node)]
  if (inputs.length === 0 || inputs.some(({ known }) => known === undefined)) return undefined
  const isWidened = node.op === 'dequantize' || (node.op === 'cast' && isHalf(inputs[0].type.dtype))
  return isWidened ? undefined : computed(node, inputs)
}

function computed(node: Node, inputs: readonly Exported[]): readonly HostArray[] {
  const results = node.outputs.map(zeroArray)
  opDefinition(node.op).reference(
    inputs.map(({ type, known }) => ({ ...type, data: known!.values })),
    node.outputs.map((type, i) => ({ ...type, data: results[i] })),
    node.attrs,
  )
  return results
}

function foldedBias(node: Node, [weight, ...rest]: readonly Exported[]): Omit<Exported, 'isImage'> {
  const zeros = { ...weight, known: { name: '', values: zeroArray(weight.type) } }
  const [, values] = computed(node, [zeros, ...rest])
  return { type: node.outputs[1], known: { name: `${node.name}.bias`, values } }
}

/** The input as the network takes it, of pixels. */
function normalized(writer: GraphWriter, { preprocessing: { mean, deviation } }: Model): string {
  const perChannel = (values: number[], what: string) => writer.floats(values, [1, values.length, 1, 1], what)
  const pixels = writer.node('Cast', [onnxNames.pixels], { to: dataTypes[writer.compute] }, 'pixels')
  const image = writer.node('Transpose', [pixels], { perm: TO_NCHW }, 'pixels.nchw')
  const scale = perChannel(
    deviation.map(d => 1 / (255 * d)),
    'pixels.scale',
  )
  const shift = perChannel(
    mean.map((m, c) => -m / deviation[c]),
    'pixels.shift',
  )
  return writer.node('Add', [writer.node('Mul', [image, scale], {}, 'pixels.scaled'), shift], {}, 'normalized')
}

const halved = (writer: GraphWriter): string =>
  writer.node('Cast', [onnxNames.image], { to: dataTypes.float16 }, `${onnxNames.image}.float16`)

/** A node of which one output has another name. */
function renamed(node: Draft<'NodeProto'>, from: string, to: string): Draft<'NodeProto'> {
  const rename = (list: readonly string[] = []) => list.map(name => (name === from ? to : name))
  return { ...node, input: rename(node.input), output: rename(node.output) }
}

function valueInfo(name: string, dtype: keyof typeof dataTypes, dims: readonly (string | number)[]) {
  const dim = dims.map(size => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }))
  return { name, type: { tensorType: { elemType: dataTypes[dtype], shape: { dim } } } }
}
