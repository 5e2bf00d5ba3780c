/** @file Claims about ONNX files: what stands in them, what is refused, and, where ONNX Runtime is installed, that it computes the same. */
import { beforeAll, describe, expect, test } from 'vitest'
import { prepareQuantization } from '../../../src/compress/prepare-quantization.js'
import { pruneChannels } from '../../../src/compress/prune-channels.js'
import { quantizeModel } from '../../../src/compress/quantize-model.js'
import { quantizeWeights } from '../../../src/compress/quantize-weights.js'
import { referenceEngine } from '../../../src/engines/reference/reference.js'
import { encodeOnnx, type OnnxOptions } from '../../../src/formats/onnx/encode.js'
import { decodeMessage } from '../../../src/formats/onnx/wire.js'
import type { Value } from '../../../src/graph/graph.js'
import type { Model } from '../../../src/models/model.js'
import { createModel } from '../../../src/models/registry.js'
import type { Scope } from '../../../src/nn/scope.js'
import { ops } from '../../../src/ops/index.js'
import { normalAt } from '../../../src/random.js'
import { predictProbabilities } from '../../../src/train/predict.js'
import { evaluationGraph } from '../../../src/train/training-graph.js'
import { noise } from '../../compress/noise.js'
import { every, network, used } from './models.js'
import { runOnnx, runtime } from './runtime.js'

const engine = referenceEngine()
const BATCH = 2
const small = { classes: 4, input: [16, 16, 3] } as const

const models: Record<string, () => Model | Promise<Model>> = {
  resnet8: () => createModel('resnet8', small),
  'resnet20, whose shortcuts are cut and padded': () => createModel('resnet20', small),
  cnn: () => createModel('cnn', { classes: 4, input: [32, 32, 3] }),
  'cnn of grey images': () => createModel('cnn', { classes: 4, input: [24, 24, 1] }),
  speednet: () => createModel('speednet', { classes: 4, input: [32, 32, 3] }),
  'efficientnet-b0': () => createModel('efficientnet-b0', { classes: 4, input: [32, 32, 3] }),
  'a pruned resnet8': async () => (await pruneChannels(createModel('resnet8', small), { amount: 0.5 })).model,
  'every operator': () => every,
}

const file = (model: Model, options?: OnnxOptions) => Buffer.concat(encodeOnnx(model, options))
const parsed = (model: Model, options?: OnnxOptions) => decodeMessage('ModelProto', file(model, options))

/** Images as numbers, NHWC and NCHW. */
function images({ preprocessing: { size } }: Model) {
  const [height, width, channels] = size
  const nhwc = Float32Array.from({ length: BATCH * height * width * channels }, (_, i) => normalAt(7, i))
  const nchw = nhwc.map((_, i) => {
    const [pixel, rest] = [i % (height * width), Math.floor(i / (height * width))]
    return nhwc[(Math.floor(rest / channels) * height * width + pixel) * channels + (rest % channels)]
  })
  return { nhwc, nchw, dims: [BATCH, channels, height, width] }
}

async function ownLogits(model: Model, image: Float32Array): Promise<Float32Array> {
  const program = await engine.compile(evaluationGraph(model.graph, BATCH))
  const names = new Set(evaluationGraph(model.graph, 1).nodes.map(({ name }) => name))
  for (const [name, values] of model.weights) if (names.has(name)) await program.write(name, values)
  const { logits } = await program.run({ image })
  program.dispose()
  return logits as Float32Array
}

/** The largest difference of logits, as a part of the largest logit. */
async function disagreement(model: Model, options?: OnnxOptions): Promise<number> {
  const { nhwc, nchw, dims } = images(model)
  const { logits } = await runOnnx(encodeOnnx(model, options), { name: 'pixel_values', data: nchw, dims })
  const own = await ownLogits(model, nhwc)
  const most = own.reduce((a, b) => Math.max(a, Math.abs(b)), 0)
  return own.reduce((a, b, i) => Math.max(a, Math.abs(b - logits.data[i])), 0) / most
}

describe.skipIf(runtime === undefined)(
  'ONNX Runtime computes as we do (needs: npm install --no-save onnxruntime-node)',
  () => {
    test.each(Object.entries(models))('%s', async (_, build) => {
      const model = used(await build())
      expect(await disagreement(model)).toBeLessThan(1e-5)
      // Sums of float16 products are float32.
      expect(await disagreement(model, { precision: 'float16' })).toBeLessThan(2e-2)
    })

    test.each(['int8', 'float16', 'bfloat16'] as const)('weights that are kept in %s', async type => {
      for (const name of ['resnet8', 'cnn']) {
        const model = quantizeWeights(used(await models[name]()), { type })
        expect(await disagreement(model)).toBeLessThan(1e-5)
      }
    })

    test.each(['resnet8', 'cnn'])('%s in integers', async name => {
      const model = used(await models[name]())
      const { model: integers } = await quantizeModel(model, { images: noise(model, 16), engine })
      // A number that lies between two integers may go to either.
      expect(await disagreement(integers)).toBeLessThan(0.02)
    })

    test('pixels in, probabilities out', async () => {
      const model = used(await models['cnn']())
      const { length } = images(model).nhwc
      const pixels = Uint8Array.from({ length }, (_, i) => 128 + 50 * normalAt(9, i))
      const own = await predictProbabilities(model, pixels, { engine })
      for (const precision of ['float32', 'float16'] as const) {
        const dims = [BATCH, ...model.preprocessing.size]
        const chunks = encodeOnnx(model, { precision, preprocessing: true })
        const { probabilities } = await runOnnx(chunks, { name: 'image', type: 'uint8', data: pixels, dims })
        for (const [i, p] of own.entries())
          expect(probabilities.data[i]).toBeCloseTo(p, precision === 'float32' ? 5 : 2)
      }
    })
  },
)

describe('the file', () => {
  const model = createModel('resnet8', { ...small, labels: ['cat', 'dog', 'owl', 'fox'] })

  test('has no norms, takes any batch, and says what the images and classes are', () => {
    const { graph, opsetImport, metadataProps } = parsed(model)
    expect(opsetImport).toEqual([{ domain: '', version: 17 }])
    expect([...new Set(graph!.node.map(({ opType }) => opType))].sort()).toEqual([
      'Add',
      'Conv',
      'Flatten',
      'Gemm',
      'GlobalAveragePool',
      'Relu',
      'Reshape',
    ])
    const dims = (info: (typeof graph & {})['input']) =>
      info.map(({ name, type }) => [name, type?.tensorType?.shape?.dim])
    expect(dims(graph!.input)).toEqual([
      ['pixel_values', [{ dimParam: 'batch' }, { dimValue: 3 }, { dimValue: 16 }, { dimValue: 16 }]],
    ])
    expect(dims(graph!.output)).toEqual([['logits', [{ dimParam: 'batch' }, { dimValue: 4 }]]])
    const metadata = Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]))
    expect(JSON.parse(metadata['labels']!)).toEqual(model.labels)
    expect(JSON.parse(metadata['preprocessing']!)).toEqual(model.preprocessing)
    expect(metadata['model']).toBe('resnet8')
  })

  test('is the same for the same model, and half as long in float16', () => {
    expect(file(model).equals(file(model))).toBe(true)
    expect(file(model, { precision: 'float16' }).length).toBeLessThan(0.55 * file(model).length)
  })

  test('gives each name to one value', async () => {
    for (const build of Object.values(models)) {
      const { graph } = parsed(await build())
      const names = [...graph!.node.flatMap(({ output }) => output), ...graph!.initializer.map(({ name }) => name)]
      expect(new Set(names).size).toBe(names.length)
    }
  })
})

describe('integers', () => {
  let integers: Model
  beforeAll(async () => {
    const resnet = createModel('resnet8', small)
    integers = (await quantizeModel(resnet, { images: noise(resnet, 4), engine })).model
  })

  test('are int8 weights by channel, uint8 activations and int32 biases without a zero point', () => {
    const { graph } = parsed(integers)
    const types = new Map(graph!.initializer.map(({ name, dataType }) => [name, dataType]))
    const layers = graph!.node.filter(({ opType }) => opType === 'Conv' || opType === 'Gemm')
    const maker = (name: string) => graph!.node.find(({ output }) => output.includes(name))!
    for (const {
      input: [, weight, bias],
    } of layers) {
      const [w, b] = [maker(weight), maker(bias)]
      expect([w.opType, types.get(w.input[0]), w.input.length]).toEqual(['DequantizeLinear', 3, 2])
      expect([b.opType, types.get(b.input[0]), b.input.length]).toEqual(['DequantizeLinear', 6, 2])
    }
    const zeros = graph!.node
      .filter(({ opType }) => opType === 'QuantizeLinear')
      .map(({ input }) => types.get(input[2]))
    expect(new Set(zeros)).toEqual(new Set([2]))
    expect(layers.length).toBeGreaterThan(5)
  })

  test('are written as int8 only, and floats as floats', async () => {
    expect(() => encodeOnnx(integers, { precision: 'float16' })).toThrow(
      'resnet8 computes in integers: it is written as int8. For float16, write the model that it was made from',
    )
    const resnet = createModel('resnet8', small)
    expect(() => encodeOnnx(resnet, { precision: 'int8' })).toThrow(
      'resnet8 does not compute in integers: it is not quantized; quantizeModel makes such a model',
    )
    expect(() => encodeOnnx(quantizeWeights(resnet), { precision: 'int8' })).toThrow(
      'only its weights are kept in fewer bits',
    )
    const { model: prepared } = await prepareQuantization(resnet, { images: noise(resnet, 2), engine })
    expect(() => encodeOnnx(prepared)).toThrow(
      'resnet8 is prepared to be quantized: convertQuantization makes integers',
    )
  })
})

describe('refused by name', () => {
  const emit = (build: (scope: Scope, image: Value) => Value) => () => encodeOnnx(network(build))

  test.each([
    [
      'lerp',
      emit(({ builder }, x) => builder.emit(ops.lerp, [x, x, builder.constant(0.5)], {}, 'between')),
      /^lerp 'between' has no form in ONNX/,
    ],
    [
      'the places of maxima',
      emit(({ builder }, x) => {
        const [y, places] = builder.emitAll(
          ops.maxPool,
          [x],
          { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] },
          'pool',
        )
        return builder.emit(ops.add, [y, builder.emit(ops.cast, [places], { dtype: 'float32' })], {})
      }),
      /^maxPool 'pool' has no form in ONNX: its output 2 is read$/,
    ],
  ])('%s', (_, encode, message) => {
    expect(encode).toThrow(message)
  })
})
