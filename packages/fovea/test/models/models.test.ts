/** @file Claims about the registry: parameters and multiply-adds as published, names as torchvision's, starts as the papers'. */
import { describe, expect, test } from 'vitest'
import { parameterNodes, stateNodes } from '../../src/graph/graph.js'
import { scaleDepth, scaleWidth } from '../../src/models/efficientnet.js'
import type { Model } from '../../src/models/model.js'
import { createModel, modelNames } from '../../src/models/registry.js'
import { type ModelSummary, summarize } from '../../src/models/summary.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'

/**
 * Parameters as torchvision and the papers give them (CIFAR's ResNets: table 6 of arXiv 1512.03385 rounds them), and
 * billions of multiply-adds at the published resolution where torchvision states them (its `_ops`). torchvision measures
 * B2 at 288 pixels and counts the squeeze's pooling; both agree to three digits.
 */
const published: Record<string, { parameters: number; gigaMultiplyAdds?: number }> = {
  resnet8: { parameters: 78_186 }, // MLPerf Tiny's 78,666 count the 480 running statistics too
  resnet20: { parameters: 269_722 },
  resnet32: { parameters: 464_154 },
  resnet44: { parameters: 658_586 },
  resnet56: { parameters: 853_018 },
  resnet110: { parameters: 1_727_962 },
  resnet18: { parameters: 11_689_512, gigaMultiplyAdds: 1.814 },
  resnet34: { parameters: 21_797_672, gigaMultiplyAdds: 3.664 },
  resnet50: { parameters: 25_557_032, gigaMultiplyAdds: 4.089 },
  resnet101: { parameters: 44_549_160, gigaMultiplyAdds: 7.801 },
  resnet152: { parameters: 60_192_808, gigaMultiplyAdds: 11.514 },
  'efficientnet-b0': { parameters: 5_288_548, gigaMultiplyAdds: 0.386 },
  'efficientnet-b1': { parameters: 7_794_184, gigaMultiplyAdds: 0.687 },
  'efficientnet-b2': { parameters: 9_109_994 },
  'efficientnet-b3': { parameters: 12_233_232, gigaMultiplyAdds: 1.827 },
  'efficientnet-b4': { parameters: 19_341_616, gigaMultiplyAdds: 4.394 },
  'efficientnet-b5': { parameters: 30_389_784, gigaMultiplyAdds: 10.266 },
  'efficientnet-b6': { parameters: 43_040_704, gigaMultiplyAdds: 19.068 },
  'efficientnet-b7': { parameters: 66_347_960, gigaMultiplyAdds: 37.746 },
  // By hand, of what is trained: 9·(24·64 + 64·64 + 64·256 + 3·256·256) + 2·(64 + 256 + 256) + 256·10 + 24.
  speednet: { parameters: 1_971_352 },
  // By hand: 3·3·3·32+32, 3·3·32·64+64, 3·3·64·64+64, 256·512+512, 512·10+10.
  cnn: { parameters: 193_034 },
}

test('every model of the registry has its published numbers here', () => {
  expect(Object.keys(published).sort()).toEqual([...modelNames].sort())
})

describe.each(Object.entries(published))('%s', (name, { parameters, gigaMultiplyAdds }) => {
  const model = createModel(name)
  const summary = summarize(model)

  test('has the published number of parameters', () => {
    expect(summary.parameters).toBe(parameters)
    expect(summary.bytes).toEqual({ total: 4 * parameters, float32: 4 * parameters, bfloat16: 0, float16: 0, int8: 0 })
  })

  if (gigaMultiplyAdds !== undefined) {
    test('costs the published multiply-adds', () => {
      expect(summary.multiplyAdds / 1e9).toBeCloseTo(gigaMultiplyAdds, 3)
    })
  }

  test('its layers add up, and every parameter belongs to one', () => {
    const sum = (key: 'parameters' | 'multiplyAdds' | 'bytes' | 'activationBytes') =>
      summary.layers.reduce((total, layer) => total + layer[key], 0)
    expect(sum('parameters')).toBe(summary.parameters)
    expect(sum('multiplyAdds')).toBe(summary.multiplyAdds)
    expect(sum('bytes')).toBe(summary.bytes.total)
    expect(sum('activationBytes')).toBe(summary.activationBytes.total)
  })
})

test('names of parameters and buffers are those of torchvision', () => {
  const names = (model: string) => stateNodes(createModel(model).graph).map(({ name }) => name)
  expect(names('resnet50')).toEqual(
    expect.arrayContaining([
      'conv1.weight',
      'bn1.running_mean',
      'layer1.0.downsample.0.weight',
      'layer1.0.downsample.1.running_var',
      'layer4.2.bn3.bias',
      'fc.bias',
    ]),
  )
  expect(names('efficientnet_b0')).toEqual(
    expect.arrayContaining([
      'features.0.0.weight',
      'features.0.1.running_var',
      'features.1.0.block.0.0.weight',
      'features.1.0.block.1.fc1.bias',
      'features.2.0.block.2.fc2.weight',
      'features.8.1.weight',
      'classifier.1.bias',
    ]),
  )
})

test('the CIFAR networks have shortcuts without parameters, and 6n + 2 layers with weights', () => {
  for (const depth of [20, 32, 44, 56, 110]) {
    const { graph } = createModel(`resnet${depth}`)
    const layers = graph.nodes.filter(({ op }) => op === 'conv2d' || op === 'linear')
    expect(layers.length).toBe(depth)
    expect(parameterNodes(graph).filter(({ name }) => name.includes('downsample'))).toEqual([])
  }
})

test('the network of the Keras tutorials has the layers that they show', () => {
  const layers = summarize(createModel('cnn')).layers.filter(({ op }) => ['conv2d', 'maxPool', 'linear'].includes(op))
  expect(layers.map(({ output }) => output.join('×'))).toEqual([
    '30×30×32',
    '15×15×32',
    '13×13×64',
    '6×6×64',
    '4×4×64',
    '2×2×64',
    '512',
    '10',
  ])
})

test('compound scaling rounds channels to 8, never down by more than a tenth, and layers up', () => {
  expect([16, 24, 40, 80, 112, 192, 320].map(channels => scaleWidth(channels, 1.4))).toEqual([
    24, 32, 56, 112, 160, 272, 448,
  ])
  expect(scaleWidth(16, 1.1)).toBe(16)
  expect(scaleWidth(8, 1.2)).toBe(16) // 9.6 would become 8, a sixth less
  expect([1, 2, 3, 4].map(layers => scaleDepth(layers, 1.1))).toEqual([2, 3, 4, 5])
})

describe('under a policy of precision', () => {
  const model = createModel('resnet20')
  const layerOf = (summary: ModelSummary, name: string) => summary.layers.find(layer => layer.name === name)

  test.each([
    ['mixed_bfloat16', 'bfloat16'],
    ['mixed_float16', 'float16'],
  ] as const)('%s: bytes follow the types in which layers read parameters and write activations', (precision, half) => {
    const summary = summarize(model, { precision })
    const { bytes, activationBytes, parameters } = summary
    expect(bytes.total).toBe(bytes.float32 + bytes[half])
    expect(bytes[half] / 2 + bytes.float32 / 4).toBe(parameters)
    expect(activationBytes.total).toBe(activationBytes.float32 + activationBytes[half])
    expect(2 * activationBytes[half] + activationBytes.float32).toBe(summarize(model).activationBytes.total)
    // A batch-norm's own parameters stay float32, its activation follows the convolution's.
    expect(layerOf(summary, 'layer1.0.conv1')).toMatchObject({ precision: half, bytes: 2 * 9 * 16 * 16 })
    expect(layerOf(summary, 'layer1.0.bn1')).toMatchObject({ bytes: 4 * 32, activationBytes: 2 * 32 * 32 * 16 })
    expect(layerOf(summary, 'conv1')).toMatchObject({ precision: half, activationBytes: 2 * 32 * 32 * 16 })
    expect(layerOf(summary, 'fc')).toMatchObject({ precision: 'float32', activationBytes: 4 * 10 })
  })

  test('bytes of images, codes and indices are counted too', () => {
    const builder = new GraphBuilder()
    const image = builder.input('image', [1, 4, 4, 2], 'uint8')
    const weight = builder.parameter('weight', [3, 2, 1, 1], { type: 'ones' }, 'int8')
    const [x, w] = [image, weight].map(value => builder.emit(ops.cast, [value], { dtype: 'float32' }))
    const attrs = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 } as const
    const window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] } as const
    const [, places] = builder.emitAll(ops.maxPool, [builder.emit(ops.conv2d, [x, w], attrs)], window)
    builder.output('logits', builder.emit(ops.flatten, [places], {}))
    const summary = summarize({ ...model, graph: builder.build() })
    expect(summary.activationBytes).toMatchObject({ total: 4 * 48 + 4 * 12 + 12, float32: 4 * 60, uint8: 12 })
    expect(summary.parameters).toBe(6)
  })

  test('keepFloat32 names other layers than the last to stay float32', () => {
    const summary = summarize(model, { precision: 'mixed_bfloat16', keepFloat32: ['layer1.*', 'fc'] })
    const typeOf = (name: string) => layerOf(summary, name)?.precision
    expect(['conv1', 'layer1.2.conv2', 'layer2.0.conv1', 'fc'].map(typeOf)).toEqual([
      ...['bfloat16', 'float32', 'bfloat16', 'float32'],
    ])
    expect(() => summarize(model, { keepFloat32: ['layer9.*'] })).toThrow(
      "keepFloat32: 'layer9.*' matches no convolution or linear layer; there are conv1, layer1.0.conv1",
    )
  })
})

describe('weights at the start', () => {
  const { weights } = createModel('resnet18', { input: [32, 32, 3], seed: 1 })
  const spread = (name: string): { mean: number; deviation: number } => {
    const values = Float32Array.from(weights.get(name)!)
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    return { mean, deviation: Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length) }
  }

  test('convolutions: normal with deviation √(2 / fan out), as in He et al. 2015', () => {
    const { mean, deviation } = spread('layer3.0.conv2.weight')
    const expected = Math.sqrt(2 / (256 * 9))
    expect(Math.abs(mean)).toBeLessThan(0.01 * expected)
    expect(deviation / expected).toBeCloseTo(1, 2)
  })

  test('norms: weight 1, bias 0, mean 0, variance 1', () => {
    for (const [part, value] of Object.entries({ weight: 1, bias: 0, running_mean: 0, running_var: 1 })) {
      expect([...new Set(weights.get(`bn1.${part}`))]).toEqual([value])
    }
  })

  test('the classifier: uniform within 1 / √in', () => {
    const values = weights.get('fc.weight')!
    const bound = 1 / Math.sqrt(512)
    expect(values.every(value => Math.abs(value) <= bound)).toBe(true)
    expect(spread('fc.weight').deviation / (bound / Math.sqrt(3))).toBeCloseTo(1, 2)
  })

  test('another seed gives others, the same seed the same', () => {
    const again = (seed: number) => createModel('resnet18', { input: [32, 32, 3], seed }).weights.get('conv1.weight')
    expect(again(1)).toEqual(weights.get('conv1.weight'))
    expect(again(2)).not.toEqual(weights.get('conv1.weight'))
  })
})

describe('options that make no model', () => {
  test.each([
    ['resnet21', {}, "unknown model 'resnet21'; did you mean 'resnet20'"],
    ['resnet20', { classes: 1 }, 'classes: expected a whole number from 2 to 100,000, got 1'],
    ['resnet20', { classes: 1e11 }, 'classes: expected a whole number from 2 to 100,000, got 100000000000'],
    ['resnet20', { classes: 3, labels: ['a', 'b'] }, 'labels: expected a name for each of 3 classes, got 2'],
    ['resnet20', { input: [32, 32] }, 'input: expected [height, width, channels], got [32, 32]'],
    ['cnn', { input: [8, 8, 3] }, 'images of 8×8 are too small for cnn, which is made for 32×32'],
  ])('%s %j', (name, options, message) => {
    expect(() => createModel(name, options as never)).toThrow(message)
  })
})

test('a ResNet of bottlenecks halves images in the first convolution if it is told to, as in table 1 of the paper', () => {
  for (const [depth, gigaMultiplyAdds] of [
    [50, 3.8],
    [101, 7.6],
    [152, 11.3],
  ]) {
    const { multiplyAdds } = summarize(createModel(`resnet${depth}`, { stridedConvolution: 'conv1' }))
    expect(multiplyAdds / 1e9).toBeGreaterThan(gigaMultiplyAdds - 0.05)
    expect(multiplyAdds / 1e9).toBeLessThan(gigaMultiplyAdds + 0.1)
  }
  for (const name of ['resnet18', 'resnet20']) {
    const choice = () => createModel(name, { stridedConvolution: 'conv2' })
    expect(choice).toThrow(`stridedConvolution: ${name} has no bottlenecks: leave it out`)
  }
  expect(() => createModel('efficientnet-b0', { stridedConvolution: 'conv1' })).toThrow(
    'stridedConvolution: unknown option',
  )
})

test("an EfficientNet pads as TensorFlow does if it is told to: an even image less before than after, where it's halved", () => {
  const paddings = (input: number) =>
    createModel('efficientnet-b0', { padding: 'same', input: [input, input, 3], stemStride: 2 })
      .graph.nodes.filter(({ op, attrs }) => op === 'conv2d' && (attrs['stride'] as number[])[0] === 2)
      .map(({ attrs }) => (attrs['padding'] as number[]).join())
  // Windows of 3, 3, 5, 3 and 5 pixels, on sides of 224, 112, 56, 28, 14 and of 225, 113, 57, 29, 15.
  expect(paddings(224)).toEqual(['0,1,0,1', '0,1,0,1', '1,2,1,2', '0,1,0,1', '1,2,1,2'])
  expect(paddings(225)).toEqual(['1,1,1,1', '1,1,1,1', '2,2,2,2', '1,1,1,1', '2,2,2,2'])
  const shapes = ({ graph }: Model) => graph.nodes.map(({ outputs }) => outputs[0].shape)
  const model = (padding: 'same' | 'symmetric') => createModel('efficientnet-b0', { padding })
  expect(shapes(model('same'))).toEqual(shapes(model('symmetric')))
})

test('the ε of all norms can be chosen', () => {
  const epsilons = (name: string, options = {}) => [
    ...new Set(
      createModel(name, options)
        .graph.nodes.filter(({ op }) => op === 'batchNorm')
        .map(({ attrs }) => attrs['epsilon']),
    ),
  ]
  expect(epsilons('resnet50')).toEqual([1e-5])
  expect(epsilons('resnet20', { normEpsilon: 1.001e-5 })).toEqual([1.001e-5])
  expect(epsilons('efficientnet-b0')).toEqual([1e-5])
  expect(epsilons('efficientnet-b0', { normEpsilon: 1e-3 })).toEqual([1e-3])
  expect(epsilons('efficientnet-b7')).toEqual([1e-3])
})
