/**
 * @file An ONNX file (https://onnx.ai) as a model of ours: an image classifier with one input and one output, whose weights can be
 * trained, pruned and quantized like any other's. A file from outside is data: what it claims is checked, and nothing is executed.
 */
import { normalizations } from '../../data/normalization.js'
import { FormatError, FoveaError } from '../../errors.js'
import { stateNodes } from '../../graph/graph.js'
import { formatShape, isFloat, sameShape } from '../../graph/types.js'
import type { Model, Preprocessing } from '../../models/model.js'
import { setBatchSize } from '../../passes/set-batch-size.js'
import { checkArguments, group, type Rows } from '../../settings/group.js'
import { callback, text, typedArray } from '../../settings/kinds.js'
import { labelsOf, preprocessingOf } from '../description.js'
import { parseJson } from '../json.js'
import type { ModelFormat, ReadBeside } from '../model-source.js'
import { ExternalData } from './external.js'
import { typeNamed } from './known.js'
import type { Message } from './messages.js'
import { readNodes, type Walk } from './read-nodes.js'
import { type Computed, dimsOf, isKnown, isStored, nhwc, type OnnxValue, plain, Reading } from './reading.js'
import { decodeMessage } from './wire.js'

type Graph = Message<'GraphProto'>

/** What reading a file may be told. */
export interface OnnxReading {
  /** Takes a sentence that a person should see: what the file does not say, and is taken for granted. Default: dropped. */
  readonly onNotice?: (message: string) => void
  /** Reads files beside it, by their plain names: the numbers of a model may lie there. Default: such a model is refused. */
  readonly beside?: ReadBeside
}

const readingOptions = group('how an ONNX file is read', {
  onNotice: callback<NonNullable<OnnxReading['onNotice']>>('takes a sentence for people').optional(),
  beside: callback<ReadBeside>('reads files beside it').optional(),
} satisfies Rows<OnnxReading>)
const decodeArguments = { name: text("the file's, for messages"), file: typedArray('all its bytes', 'Uint8Array') }

/** By its first bytes: the version of the format, and then a field that has a length. */
const isOnnx = ([version, number, field]: Uint8Array): boolean =>
  version === 0x08 && number > 0 && number < 0x40 && (field & 7) === 2 && field >> 3 < 16

/** Its weights have no names that a model of the registry would know: they come with the graph. */
export const onnx: ModelFormat = {
  matches: isOnnx,
  open: (name, file, beside) => ({
    graph: {
      format: 'an ONNX file',
      read: onNotice => ({ model: decodeOnnx(name, file, { beside, ...(onNotice && { onNotice }) }) }),
    },
  }),
}

/**
 * The model that an ONNX file holds, in float32, or in integers where it has QuantizeLinear and DequantizeLinear.
 * Labels and preprocessing are read from its metadata as `encodeOnnx` writes them; else classes are numbers, and colours
 * are normalized by ImageNet's mean and deviation, as torchvision's are.
 * @param name the file's, for messages
 * @param options `onNotice` is told what is taken for granted
 * @throws FormatError naming the file, and the node or tensor that is not read
 */
export function decodeOnnx(name: string, file: Uint8Array, options: OnnxReading = {}): Model {
  checkArguments(decodeArguments, { name, file })
  const { onNotice, beside } = readingOptions.parse(options, '')
  try {
    const proto = decodeMessage('ModelProto', file)
    const model = modelOf(proto, name, { bytes: file.length, external: new ExternalData(beside) })
    if (!proto.metadataProps.some(({ key }) => key === 'preprocessing')) onNotice?.(aboutAssumed(name, model))
    return model
  } catch (error) {
    if (!(error instanceof FoveaError)) throw error
    throw new FormatError(`'${name}' is not read: ${inOneLine(error.message)}`, { cause: error })
  }
}

/** A message is for a line, whatever names of the file are in it. */
const inOneLine = (message: string): string => message.slice(0, MOST_CHARACTERS).replace(/[\p{Cc}\u2028\u2029]/gu, '?')
const MOST_CHARACTERS = 1000

const aboutAssumed = (file: string, { preprocessing: { size } }: Model): string =>
  `'${file}' does not say how images become its input: taken as ${size.join('×')}` +
  `${size[2] === 3 ? ", normalized by ImageNet's mean and deviation" : ', from 0 to 1'}`

function modelOf(
  { graph, opsetImport, metadataProps }: Message<'ModelProto'>,
  file: string,
  source: Pick<Walk, 'bytes' | 'external'>,
): Model {
  if (graph === undefined) throw new FormatError('it is no ONNX model: it has no graph')
  const opset = opsetImport.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx')?.version ?? 1
  if (graph.sparseInitializer.length > 0) throw new FormatError('it has sparse tensors')
  const metadata = new Map(metadataProps.map(({ key = '', value = '' }) => [key, value]))
  const described = metadata.get('preprocessing')
  const given = described === undefined ? undefined : preprocessingOf(parseJson(described, 'preprocessing'))
  const reading = new Reading()
  const { image, name } = inputOf(graph, given, reading)
  const values = new Map<string, OnnxValue>([[name, image]])
  readNodes(graph, { opset, reading, values, ...source })
  const built = finished(graph, values, reading)
  const labels = metadata.get('labels')
  const size = image.value.type.shape.slice(1) as [number, number, number]
  const normalization = size[2] === 3 ? normalizations.imagenet : { mean: [0], deviation: [1] }
  return {
    name: metadata.get('model') ?? nameOf(file),
    graph: built,
    weights: new Map(stateNodes(built).map(state => [state.name, reading.weights.get(state.name)!])),
    preprocessing: given ?? { size, ...normalization },
    labels:
      labels === undefined
        ? Array.from({ length: built.outputs.get('logits')!.type.shape[1] }, (_, i) => String(i))
        : labelsOf(parseJson(labels, 'labels'), built.outputs.get('logits')!.type.shape[1]),
  }
}

/** `models/cat.onnx` as cat. */
const nameOf = (file: string): string => file.replace(/^.*[/\\]/, '').replace(/\.onnx$/, '') || 'onnx'

/** The image that goes in: NCHW or, where the last axis is that of colours, NHWC. */
function inputOf(graph: Graph, given: Preprocessing | undefined, reading: Reading) {
  const inner = new Set(graph.initializer.map(({ name }) => name))
  const inputs = graph.input.filter(({ name }) => !inner.has(name))
  if (inputs.length !== 1) throw new FormatError(`it has ${inputs.length} inputs; a classifier of images has one`)
  const [{ name = '', type }] = inputs
  const what = `input '${name}'`
  const dtype = typeNamed(type?.tensorType?.elemType, what)
  if (!isFloat(dtype as 'float32')) {
    throw new FormatError(`${what} is ${dtype}: pixels go in. Export the model without its preprocessing`)
  }
  const dim = type?.tensorType?.shape?.dim
  if (dim?.length !== 4) throw new FormatError(`${what} has no shape of four axes: batch, channels, height, width`)
  const [batch, ...rest] = dim.map(({ dimValue }) => dimValue)
  if (batch !== undefined && batch > 1) {
    throw new FormatError(
      `${what} takes ${batch} images at once: export the model for one, or for any number (dynamic_axes)`,
    )
  }
  const isLast = [1, 3].includes(rest[2] ?? 0) && ![1, 3].includes(rest[0] ?? 0)
  const size = given?.size ?? (isLast ? rest : [rest[1], rest[2], rest[0]])
  const sizes = size.map(side => {
    if (side !== undefined && Number.isSafeInteger(side) && side > 0 && side < 1 << 16) return side
    throw new FormatError(`${what} is of no certain size: export the model for images of one size`)
  })
  const value = reading.builder.input('image', [1, ...sizes])
  return { name, image: isLast ? plain(value) : nhwc(value) }
}

/** The whole graph, if it gives a row of logits for each image, of a batch of any size. */
function finished({ output, node }: Graph, values: ReadonlyMap<string, OnnxValue>, reading: Reading) {
  if (output.length !== 1) throw new FormatError(`it has ${output.length} outputs; a classifier has one`)
  const [{ name = '' }] = output
  const value = values.get(name)
  if (value === undefined || isKnown(value) || isStored(value)) {
    throw new FormatError(`output '${name}' does not depend on the image`)
  }
  const logits: Computed = reading.rows(value, 'logits')
  const { shape } = logits.value.type
  if (logits.layout === 'chw' || shape.length !== 2) {
    throw new FormatError(`output '${name}' is ${formatShape(dimsOf(value))}, no row of logits for an image`)
  }
  reading.builder.output('logits', logits.value)
  const graph = reading.builder.build()
  const two = setBatchSize(graph, 2).outputs.get('logits')!
  if (!sameShape(two.type.shape, [2, shape[1]]) || node.length === 0) {
    throw new FormatError('its graph holds for one image only')
  }
  return graph
}
