/**
 * @file ONNX files that nobody wrote: whole ones of every operator, changed as messages (names, numbers, types, nodes that are left out,
 * repeated or taken from others) and as bytes. Each is made from a seed and its number, so that one that is found comes again.
 */
import { quantizeModel } from '../../../src/compress/quantize-model.js'
import { arrayDataset } from '../../../src/data/array-dataset.js'
import { FormatError } from '../../../src/errors.js'
import { decodeOnnx } from '../../../src/formats/onnx/decode.js'
import { encodeOnnx } from '../../../src/formats/onnx/encode.js'
import { decodeMessage, encodeMessage } from '../../../src/formats/onnx/wire.js'
import { createModel } from '../../../src/models/registry.js'
import { randomAt, randomKey, streamOf } from '../../../src/random.js'
import { every, used } from './models.js'

const small = createModel('resnet8', { input: [8, 8, 3], classes: 2 })
const pixels = Uint8Array.from({ length: 4 * 192 }, (_, i) => (i * 37) % 256)
const images = arrayDataset({ images: pixels, labels: [0, 1, 0, 1], imageShape: [8, 8, 3], classes: small.labels })

/** Residual connections, norms, integers, and a layer of every operator that has a form. */
const whole = [used(small), used(every), (await quantizeModel(small, { images })).model].map(model =>
  Buffer.concat(encodeOnnx(model)),
)

const operators = [
  ...[
    'Add',
    'Mul',
    'Conv',
    'Relu',
    'Clip',
    'Concat',
    'Split',
    'Reshape',
    'Transpose',
    'Flatten',
    'Gemm',
    'MatMul',
    'Resize',
  ],
  ...[
    'MaxPool',
    'AveragePool',
    'GlobalAveragePool',
    'ReduceMean',
    'QuantizeLinear',
    'DequantizeLinear',
    'Constant',
    'Slice',
  ],
  ...[
    'Pad',
    'Cast',
    'Gather',
    'Shape',
    'Unsqueeze',
    'Squeeze',
    'Identity',
    'Softmax',
    'BatchNormalization',
    'If',
    '',
    'Nothing',
  ],
]
const numbers = [-1, 0, 1, 2, 3, 7, 2 ** 31 - 1, -(2 ** 31), 2 ** 32, 2 ** 53, -(2 ** 53), 2 ** 40]

/** Numbers below others, one after another. */
type Draw = (below: number) => number

const drawing = (name: string, seed: number): Draw => {
  const key = randomKey(seed, streamOf(name))
  let drawn = 0
  return below => Math.floor(randomAt(key, drawn++) * below)
}

/** A message as what can be changed. */
type Loose = Record<string, unknown>

/** Changes one thing somewhere in a message. */
function change(message: Loose, draw: Draw, names: readonly string[]): void {
  const fields = Object.entries(message).filter(([, value]) => value !== undefined)
  if (fields.length === 0) return
  const [key, value] = fields[draw(fields.length)]
  const number = (): number => numbers[draw(numbers.length)]
  if (typeof value === 'number') message[key] = /type$/i.test(key) ? draw(24) : number()
  else if (typeof value === 'string') {
    message[key] = key === 'opType' ? operators[draw(operators.length)] : (names[draw(names.length)] ?? '')
  } else if (value instanceof Uint8Array) message[key] = value.subarray(0, draw(value.length + 1))
  else if (Array.isArray(value)) {
    const at = draw(value.length + 1)
    const what = draw(4)
    if (what === 0) message[key] = value.toSpliced(at, 1)
    else if (what === 1 && at < value.length) message[key] = value.toSpliced(draw(value.length), 0, value[at])
    else if (typeof value[at] === 'number') message[key] = value.with(at, number())
    else if (typeof value[at] === 'string') message[key] = value.with(at, names[draw(names.length)])
    else if (typeof value[at] === 'object') change(value[at] as Loose, draw, names)
  } else if (typeof value === 'object') change(value as Loose, draw, names)
}

/** The changed file of a number. */
export function changedOnnx(seed: number, number: number): Uint8Array {
  const draw = drawing(`onnx.${number}`, seed)
  const file = whole[draw(whole.length)]
  if (draw(4) === 0) {
    const bytes = Uint8Array.from(file)
    for (let times = draw(4); times >= 0; times--) bytes[draw(bytes.length)] = draw(256)
    return draw(3) === 0 ? bytes.subarray(0, draw(bytes.length)) : bytes
  }
  const model = structuredClone(decodeMessage('ModelProto', file))
  const graph = model.graph!
  const names = [
    ...graph.node.flatMap(({ input, output }) => [...input, ...output]),
    ...graph.initializer.map(({ name = '' }) => name),
  ]
  for (let times = draw(4); times >= 0; times--) {
    const parts = [graph.node, graph.initializer, graph.input, graph.output].filter(part => part.length > 0)
    const part = draw(3) === 0 ? parts[draw(parts.length)] : graph.node
    if (draw(12) === 0) change(graph as unknown as Loose, draw, names)
    else if (part.length > 0) change(part[draw(part.length)] as unknown as Loose, draw, names)
  }
  return Buffer.concat(encodeMessage('ModelProto', model as never))
}

/** Reads a file; whatever it is, the answer is a model no larger than it says, or a FormatError in one line. */
export function readOnnx(file: Uint8Array): 'read' | 'refused' {
  try {
    const { weights } = decodeOnnx('fuzzed.onnx', file)
    let bytes = 0
    for (const { byteLength } of weights.values()) bytes += byteLength
    // int8 that becomes float32 is four times as large.
    if (bytes > 4 * file.length + 4096) throw new Error(`weights of ${bytes} bytes in a file of ${file.length}`)
    return 'read'
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    if (!/^'fuzzed\.onnx' [^\p{Cc}]{1,1100}$/u.test(error.message)) throw error
    return 'refused'
  }
}
