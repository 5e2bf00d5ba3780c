/** @file Claims about ONNX files of others: in whatever way exporters write them; hostile ones are refused by name. */
import { describe, expect, test } from 'vitest'
import { referenceEngine } from '../../../src/engines/reference/reference.js'
import { FormatError } from '../../../src/errors.js'
import { decodeOnnx } from '../../../src/formats/onnx/decode.js'
import type { Draft } from '../../../src/formats/onnx/messages.js'
import { encodeMessage } from '../../../src/formats/onnx/wire.js'
import { stateNodes } from '../../../src/graph/graph.js'
import type { Model } from '../../../src/models/model.js'
import { normalAt } from '../../../src/random.js'
import { evaluationGraph } from '../../../src/train/training-graph.js'

const engine = referenceEngine()
type Nodes = readonly Draft<'NodeProto'>[]
const ints = (name: string, values: readonly number[]) => ({ name, type: 7, ints: values })
const int = (name: string, i: number) => ({ name, type: 2, i })
const floats = (name: string, dims: readonly number[], values?: readonly number[]): Draft<'TensorProto'> => {
  const count = dims.reduce((a, b) => a * b, 1)
  const data = Float32Array.from({ length: count }, (_, i) => values?.[i] ?? normalAt(3, i))
  return { name, dims, dataType: 1, rawData: new Uint8Array(data.buffer) }
}
const longs = (name: string, values: readonly number[]): Draft<'TensorProto'> => ({
  ...{ name, dims: [values.length], dataType: 7 },
  rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
})
const info = (name: string, dims: readonly (number | string)[]): Draft<'ValueInfoProto'> => ({
  name,
  type: {
    tensorType: {
      elemType: 1,
      shape: { dim: dims.map(size => (typeof size === 'string' ? { dimParam: size } : { dimValue: size })) },
    },
  },
})

interface Parts {
  readonly node: Nodes
  readonly initializer?: readonly Draft<'TensorProto'>[]
  readonly input?: readonly (number | string)[]
  readonly opset?: number
}
const written = ({ node, initializer = [], input = ['n', 2, 4, 4], opset = 17 }: Parts): Uint8Array =>
  Buffer.concat(
    encodeMessage('ModelProto', {
      irVersion: 8,
      opsetImport: [{ domain: '', version: opset }],
      graph: { node, initializer, input: [info('x', input)], output: [info('y', ['n', 2])] },
    }),
  )
const read = (parts: Parts): Model => decodeOnnx('a.onnx', written(parts))

describe('what exporters write', () => {
  const weight = floats('w', [2, 2])
  const node = (opType: string, input: string[], output: string[], attribute: Draft<'AttributeProto'>[] = []) => ({
    ...{ opType, input, output, attribute },
  })
  /** [2, 2, 4, 4] of which each element is its place, by what ONNX's axes say. */
  async function computed(parts: Parts): Promise<number[]> {
    const model = read(parts)
    const graph = evaluationGraph(model.graph, 1)
    const program = await engine.compile(graph)
    for (const { name } of stateNodes(graph)) await program.write(name, model.weights.get(name)!)
    const [height, width, channels] = model.preprocessing.size
    const image = Float32Array.from({ length: 32 }, (_, i) => {
      const [pixel, c] = [Math.floor(i / channels), i % channels]
      return c * height * width + pixel
    })
    return Array.from((await program.run({ image })).logits)
  }

  test('shapes that are computed node by node, and a matrix that reads channels first', async () => {
    const rows = floats(
      'rows',
      [2, 32],
      Array.from({ length: 64 }, (_, i) => (i === 5 || i === 32 + 21 ? 1 : 0)),
    )
    const nodes = [
      node('Shape', ['x'], ['s'], [int('end', 1)]),
      node('Gather', ['s', 'zero'], ['n']),
      node('Unsqueeze', ['n', 'axes'], ['n1']),
      node('Concat', ['n1', 'rest'], ['shape'], [int('axis', 0)]),
      node('Reshape', ['x', 'shape'], ['flat']),
      node('Gemm', ['flat', 'rows'], ['y'], [int('transB', 1)]),
    ]
    const zero = { name: 'zero', dims: [], dataType: 7, int64Data: Uint8Array.of(0) }
    // Element 5 of channel 0, and element 5 of channel 1.
    expect(await computed({ node: nodes, initializer: [zero, longs('axes', [0]), longs('rest', [-1]), rows] })).toEqual(
      [5, 21],
    )
  })

  test('images that lie NHWC, with transposes around what wants channels first', async () => {
    const nodes = [
      node('Transpose', ['x'], ['c'], [ints('perm', [0, 3, 1, 2])]),
      node('ReduceMean', ['c'], ['m'], [ints('axes', [2, 3]), int('keepdims', 0)]),
      node('Slice', ['m', 'from', 'to', 'axis'], ['y']),
    ]
    const initializer = [longs('from', [1]), longs('to', [2 ** 53]), longs('axis', [1])]
    const model = read({ node: nodes, initializer, input: [1, 4, 4, 3] })
    expect(model.graph.nodes.map(({ op }) => op)).toEqual(['input', 'reduceMean', 'slice'])
    expect(model.graph.outputs.get('logits')!.type.shape).toEqual([1, 2])
  })

  test('joined and split channels, limits and hard sigmoids', async () => {
    const nodes = [
      node('Split', ['x'], ['a', 'b'], [int('axis', 1)]),
      node('Concat', ['b', 'a'], ['ba'], [int('axis', 1)]),
      node('GlobalAveragePool', ['ba'], ['p']),
      node('Clip', ['p', 'low', 'high'], ['l']),
      node('Flatten', ['l'], ['y']),
    ]
    const scalar = (name: string, value: number) => floats(name, [], [value])
    const initializer = [scalar('low', 10), scalar('high', 20)]
    const [b, a] = await computed({ node: nodes, initializer })
    expect(b).toBeCloseTo(20, 5)
    expect(a).toBeCloseTo(10, 5)
    const hard = [
      node('GlobalAveragePool', ['x'], ['p']),
      node('Flatten', ['p'], ['f']),
      node('HardSigmoid', ['f'], ['y']),
    ]
    expect(await computed({ node: hard })).toEqual([1, 1])
  })

  test('pooling in ceiling mode, and probabilities, which are no logits', async () => {
    const nodes = [
      node('MaxPool', ['x'], ['p'], [ints('kernel_shape', [3, 3]), ints('strides', [2, 2]), int('ceil_mode', 1)]),
      node('ReduceMax', ['p'], ['m'], [ints('axes', [2, 3]), int('keepdims', 0)]),
      node('Softmax', ['m'], ['y']),
    ]
    const model = read({ node: nodes })
    expect(model.graph.nodes.find(({ op }) => op === 'maxPool')!.outputs[0].shape).toEqual([1, 2, 2, 2])
    expect(await computed({ node: nodes })).toEqual([15, 31])
  })

  test('what a file does not say is taken for granted aloud', () => {
    const notices: string[] = []
    const bytes = written({
      node: [node('Flatten', ['x'], ['f']), node('Gemm', ['f', 'w'], ['y'], [int('transB', 1)])],
      initializer: [floats('w', [2, 48])],
      input: [1, 3, 4, 4],
    })
    const model = decodeOnnx('pets/cat.onnx', bytes, { onNotice: notice => notices.push(notice) })
    expect(model).toMatchObject({ name: 'cat', labels: ['0', '1'], preprocessing: { size: [4, 4, 3] } })
    expect(notices).toEqual([
      "'pets/cat.onnx' does not say how images become its input: taken as 4×4×3, normalized by ImageNet's mean and deviation",
    ])
  })

  test.each<[string, Parts, RegExp]>([
    [
      'a cycle',
      { node: [node('Add', ['x', 'b'], ['a']), node('Relu', ['a'], ['b'])] },
      /Add 'a': it reads 'b', which nothing before it makes$/,
    ],
    ['an input that is not there', { node: [node('Relu', ['z'], ['y'])] }, /Relu 'y': it reads 'z'/],
    ['an unknown operator', { node: [node('LSTM', ['x'], ['y'])] }, /LSTM 'y': this operator is not read$/],
    [
      'a foreign operator',
      { node: [{ ...node('Relu', ['x'], ['y']), domain: 'evil' }] },
      /Relu 'y': its operator is of 'evil', not of ONNX$/,
    ],
    ['no node', { node: [] }, /output 'y' does not depend on the image$/],
    ['no shape', { node: [node('Relu', ['x'], ['y'])], input: [] }, /input 'x' has no shape of four axes/],
    [
      'an open size',
      { node: [node('Relu', ['x'], ['y'])], input: ['n', 3, 'h', 'w'] },
      /input 'x' is of no certain size/,
    ],
    ['a fixed batch', { node: [node('Relu', ['x'], ['y'])], input: [8, 3, 4, 4] }, /takes 8 images at once/],
    ['images as the output', { node: [node('Relu', ['x'], ['y'])] }, /output 'y' is 1×2×4×4, no row of logits/],
    [
      'a mix of images',
      { node: [node('Reshape', ['x', 's'], ['y'])], initializer: [longs('s', [32, 1])] },
      /Reshape 'y': 1×2×4×4 becomes 32×1: it mixes images/,
    ],
    [
      'a matrix that does not fit',
      { node: [node('Gemm', ['x', 'w'], ['y'])], initializer: [weight] },
      /Gemm 'y': the matrix 2×2 does not fit/,
    ],
    ['attributes that are missing', { node: [node('MaxPool', ['x'], ['y'])] }, /MaxPool 'y': kernel_shape is missing$/],
    [
      'a mean of everything',
      { node: [node('ReduceMean', ['x'], ['y'])] },
      /ReduceMean 'y': it reduces the batch as well$/,
    ],
    [
      'a norm in training mode',
      {
        node: [node('BatchNormalization', ['x', 'w', 'w', 'w', 'w'], ['y'], [int('training_mode', 1)])],
        initializer: [floats('w', [2])],
      },
      /BatchNormalization 'y': it is in training mode: export the model for inference$/,
    ],
    [
      'dropout in training mode',
      {
        node: [node('Dropout', ['x', 'r', 't'], ['y'])],
        initializer: [floats('r', [], [0.5]), { name: 't', dims: [], dataType: 9, rawData: Uint8Array.of(1) }],
      },
      /Dropout 'y': it is in training mode/,
    ],
    [
      'a tensor in another file',
      {
        node: [node('Mul', ['x', 'w'], ['y'])],
        initializer: [{ ...weight, dataLocation: 1, externalData: [{ key: 'location', value: '../../etc/passwd' }] }],
      },
      /tensor 'w' lies in another file, '\.\.\/\.\.\/etc\/passwd': save the model as one file$/,
    ],
    [
      'a shape that overflows',
      { node: [node('Mul', ['x', 'w'], ['y'])], initializer: [{ ...weight, dims: [2 ** 40, 2 ** 40] }] },
      /tensor 'w' has a shape that no tensor has/,
    ],
    [
      'fewer bytes than its shape',
      { node: [node('Mul', ['x', 'w'], ['y'])], initializer: [{ ...weight, dims: [1000, 1000] }] },
      /tensor 'w' is float32 1000×1000, which takes 4000000 bytes, and it has 16$/,
    ],
    [
      'numbers of nothing',
      {
        node: [node('ConstantOfShape', ['s'], ['c']), node('Mul', ['x', 'c'], ['y'])],
        initializer: [longs('s', [2 ** 50])],
      },
      /ConstantOfShape 'c': \[\d+\] is no shape that is filled$/,
    ],
    [
      'an image that grows without end',
      { node: [node('Pad', ['x', 'p'], ['y'])], initializer: [longs('p', [0, 0, 2 ** 19, 2 ** 19, 0, 0, 0, 0])] },
      /Pad 'y': .*524292.* is too large$/,
    ],
    [
      'a type of a later version',
      { node: [node('Mul', ['x', 'w'], ['y'])], initializer: [{ ...weight, dataType: 23 }] },
      /tensor 'w' is of ONNX's type 23, which is not read$/,
    ],
  ])('%s is refused', (_, parts, message) => {
    expect(() => read(parts)).toThrow(message)
    expect(() => read(parts)).toThrow(FormatError)
    expect(() => read(parts)).toThrow(/^'a\.onnx' is not read: [^\n]+$/)
  })

  test('a name of many lines is shown in one, and not to its end', () => {
    const name = `\n${'x'.repeat(100_000)}`
    expect(() => read({ node: [node('Relu', [name], ['y'])] })).toThrow(
      /^'a\.onnx' is not read: Relu 'y': it reads '\?x{900,1000}$/,
    )
  })

  test('numbers that multiply themselves are refused before they fill the memory', () => {
    const more = Array.from({ length: 40 }, (_, i) =>
      node('Concat', [`c${i}`, `c${i}`], [`c${i + 1}`], [int('axis', 0)]),
    )
    const initializer = [floats('c0', [1024])]
    expect(() => read({ node: [...more, node('Mul', ['x', 'c40'], ['y'])], initializer })).toThrow(
      /Concat 'c\d+': its graph makes more numbers/,
    )
  })
})
