/** @file Claims about Keras's files, on such as make-fixtures.py lays out with h5py: layers, their order and shapes are keras.applications'. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { type Zippable, zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { typesOf } from '../../../src/formats/fit-weights.js'
import { importWeights } from '../../../src/formats/import-weights.js'
import { openWeights } from '../../../src/formats/registry.js'
import { namingsOf, theirNames } from '../../../src/formats/weight-names.js'
import { createModel, encodeWeights, FormatError, type Model, modelNames } from '../../../src/index.js'
import { shapesOfKeras } from './keras-shapes.js'

const file = (name: string): Uint8Array => gunzipSync(readFileSync(new URL(`${name}.gz`, import.meta.url)))
const b0Config = readFileSync(new URL('efficientnetb0-config.json', import.meta.url))
const zipped = (entries: Zippable, level: 0 | 9 = 0): Uint8Array => zipSync(entries, { level })
const b0Entries = {
  'metadata.json': new Uint8Array(2),
  'config.json': b0Config,
  'model.weights.h5': file('efficientnetb0.weights.h5'),
}

/** The number at a place of a tensor as Keras has it, by the formula of make-fixtures.py. */
function numberAt(name: string, shape: readonly number[], place: readonly number[]): number {
  const seed = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0)
  const index = place.reduce((at, i, axis) => at * shape[axis] + i, 0)
  return (((seed + index) % 8) - 3.5) / 64
}

const weightAt = ({ weights }: Model, name: string, index: number): number => Number(weights.get(name)![index])
const attributes = ({ graph }: Model, name: string) => graph.nodes.find(node => node.name === name)!.attrs

describe.each(['resnet50.h5', 'resnet50.weights.h5'])('%s', name => {
  const { model, names, normalization, format } = importWeights(openWeights('keras.h5', file(name)), 'resnet50', {
    input: [64, 64, 3],
  })

  test('the classifier says how many classes there are', () => {
    expect([names, format, model.labels.length]).toEqual(['keras', 'a Keras file', 4])
  })

  test('kernels have our order of axes, and the first reads red, green and blue', () => {
    const shape = [7, 7, 3, 64]
    for (const [out, channel, y, x] of [
      [0, 0, 0, 0],
      [5, 1, 2, 6],
      [63, 2, 6, 3],
    ]) {
      const ours = weightAt(model, 'conv1.weight', ((out * 3 + channel) * 7 + y) * 7 + x)
      expect(ours).toBe(numberAt('conv1_conv/kernel', shape, [y, x, 2 - channel, out]))
    }
    const inner = weightAt(model, 'layer2.3.conv2.weight', ((100 * 128 + 7) * 3 + 2) * 3 + 1)
    expect(inner).toBe(numberAt('conv3_block4_2_conv/kernel', [3, 3, 128, 128], [2, 1, 7, 100]))
    expect(weightAt(model, 'fc.weight', 2 * 2048 + 9)).toBe(numberAt('predictions/kernel', [2048, 4], [9, 2]))
  })

  test('the shortcut and the third convolution are not taken for each other', () => {
    expect(weightAt(model, 'layer1.0.downsample.0.weight', 64 * 3 + 5)).toBe(
      numberAt('conv2_block1_0_conv/kernel', [64, 256], [5, 3]),
    )
    expect(weightAt(model, 'layer1.0.downsample.1.bias', 5)).toBe(numberAt('conv2_block1_0_bn/beta', [256], [5]))
  })

  test("a convolution's bias is taken from the mean of its norm", () => {
    const place = [11] as const
    const [mean, bias] = ['conv2_block1_3_bn/moving_mean', 'conv2_block1_3_conv/bias'].map(each =>
      numberAt(each, [256], place),
    )
    expect(weightAt(model, 'layer1.0.bn3.running_mean', 11)).toBe(mean - bias)
    expect(weightAt(model, 'layer1.0.bn3.running_var', 11)).toBe(
      numberAt('conv2_block1_3_bn/moving_variance', [256], place),
    )
  })

  test("strides, norms and images are those of Keras's first version", () => {
    expect(attributes(model, 'layer2.0.conv1')['stride']).toEqual([2, 2])
    expect(attributes(model, 'layer2.0.conv2')['stride']).toEqual([1, 1])
    expect(attributes(model, 'bn1')['epsilon']).toBe(1.001e-5)
    expect(normalization).toBe('library')
    const { mean, deviation } = model.preprocessing
    expect(mean.map((value, i) => value / deviation[i])).toEqual(
      [123.68, 116.779, 103.939].map(value => expect.closeTo(value)),
    )
  })

  test('they are not torchvision’s under its names', () => {
    expect(() => encodeWeights(model, { names: 'torchvision' })).toThrow(
      "it is not torchvision's resnet50: 'layer2.0.conv1' has another stride or padding, as Keras's networks do",
    )
  })
})

test('images of a normalization that is given are red, green, blue for these weights, too', () => {
  const given = { mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] }
  const { model, normalization } = importWeights(openWeights('a.h5', file('resnet50.h5')), 'resnet50', {
    normalization: given,
  })
  expect([normalization, model.preprocessing.mean]).toEqual(['given', given.mean])
  expect(weightAt(model, 'conv1.weight', 0)).toBe(numberAt('conv1_conv/kernel', [7, 7, 3, 64], [0, 0, 0, 0]))
})

describe.each([
  ['.weights.h5, with the names of layers', () => file('efficientnetb0.weights.h5')],
  ['a whole .h5, with a model in the model and long lists of names', () => file('efficientnetb0-whole.h5')],
  ['.keras', () => zipped(b0Entries)],
])('%s', (_, make) => {
  const bytes = make()
  const imported = importWeights(openWeights('a', bytes), 'efficientnet-b0', { input: [65, 64, 3] })
  const { model } = imported

  test('kernels, depthwise ones and the classifier have our order of axes', () => {
    expect(weightAt(model, 'features.2.1.block.1.0.weight', (17 * 3 + 1) * 3 + 2)).toBe(
      numberAt('block2b_dwconv/depthwise_kernel', [3, 3, 144], [1, 2, 17]),
    )
    expect(weightAt(model, 'features.7.0.block.2.fc1.bias', 4)).toBe(numberAt('block7a_se_reduce/bias', [48], [4]))
    expect(weightAt(model, 'classifier.1.weight', 3 * 1280 + 7)).toBe(numberAt('dense_1/kernel', [1280, 4], [7, 3]))
  })

  test("TensorFlow's padding: less above and on the left of even sizes at stride 2", () => {
    // 65 and 64, 33 and 32, 17 and 16.
    expect(attributes(model, 'features.0.0')['padding']).toEqual([1, 1, 0, 1])
    expect(attributes(model, 'features.0.0')['stride']).toEqual([2, 2])
    expect(attributes(model, 'features.3.0.block.1.0')['padding']).toEqual([2, 2, 1, 2])
    expect(attributes(model, 'features.3.1.block.1.0')['padding']).toEqual([2, 2, 2, 2])
  })

  test('images are normalized as the file has it, and norms as Keras computes them', () => {
    expect(imported.normalization).toBe('file')
    expect(model.preprocessing).toMatchObject({ mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] })
    expect(attributes(model, 'features.0.1')['epsilon']).toBe(1e-3)
  })

  test('small images are halved by the first layer, as in Keras', () => {
    const small = importWeights(openWeights('a', bytes), 'efficientnet-b0', { input: [32, 32, 3] }).model
    expect(attributes(small, 'features.0.0')['stride']).toEqual([2, 2])
  })
})

test('layers that normalize otherwise', () => {
  const config = (JSON.parse(b0Config.toString()) as { config: { layers: { config: { name: string } }[] } }).config
  const withLayers = (change: (name: string) => object | undefined): Uint8Array => {
    const layers = config.layers.flatMap(layer => change(layer.config.name) ?? [])
    const text = JSON.stringify({ class_name: 'Functional', config: { name: 'm', layers } })
    return zipped({ ...b0Entries, 'config.json': new TextEncoder().encode(text) })
  }
  const own = (name: string) => config.layers.find(layer => layer.config.name === name)
  // Trained without the published weights: divided once, by the root of the variance.
  const once = openWeights(
    'a',
    withLayers(name => (name === 'rescaling_1' ? undefined : own(name))),
  )
  expect(once.normalization!.deviation).toEqual([0.229, 0.224, 0.225].map(value => expect.closeTo(Math.sqrt(value), 6)))
  const halves = { class_name: 'Rescaling', config: { name: 'r', scale: 1 / 127.5, offset: -1 } }
  const given = openWeights(
    'a',
    withLayers(name =>
      name === 'rescaling'
        ? halves
        : /rescaling_1|normalization/.test(name)
          ? { class_name: 'Normalization', config: { name, mean: 0, variance: 1 } }
          : own(name),
    ),
  )
  expect(given.normalization).toEqual({ mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] })
})

describe('images have the size that the configuration says', () => {
  const sizeOf = (...layers: readonly object[]) => {
    const own = (JSON.parse(b0Config.toString()) as { config: { layers: object[] } }).config.layers
    const text = JSON.stringify({ class_name: 'Functional', config: { name: 'm', layers: [...layers, ...own] } })
    const bytes = zipped({ ...b0Entries, 'config.json': new TextEncoder().encode(text) })
    return importWeights(openWeights('a', bytes), 'efficientnet-b0').model.preprocessing.size
  }
  const input = (shape: object) => ({ class_name: 'InputLayer', config: { name: 'i', ...shape } })
  const whole = [224, 224, 3]

  test('of Keras 3, and of Keras 1 and 2', () => {
    expect(sizeOf(input({ batch_shape: [null, 96, 64, 3] }))).toEqual([96, 64, 3])
    expect(sizeOf(input({ batch_input_shape: [null, 96, 64, 3] }))).toEqual([96, 64, 3])
  })

  test('of the outer model, and of the layer that resizes for its network', () => {
    const inner = {
      class_name: 'Functional',
      config: { name: 'n', layers: [input({ batch_shape: [null, 32, 32, 3] })] },
    }
    expect(sizeOf(input({ batch_shape: [null, 96, 96, 3] }), inner)).toEqual([96, 96, 3])
    const resizing = { class_name: 'Resizing', config: { name: 'r', height: 64, width: 96 } }
    expect(sizeOf(input({ batch_shape: [null, null, null, 3] }), resizing)).toEqual([64, 96, 3])
  })

  test('else the size of the model', () => {
    expect(sizeOf()).toEqual(whole)
    for (const shape of [[null, null, null, 3], [null, 3, 96, 96], [null, 96], ['x', 1e9, 96, 3], 'x'])
      expect(sizeOf(input({ batch_shape: shape })), JSON.stringify(shape)).toEqual(whole)
  })

  test('else that which is given', () => {
    const bytes = zipped(b0Entries)
    const { model } = importWeights(openWeights('a', bytes), 'efficientnet-b0', { input: [48, 48, 3] })
    expect(model.preprocessing.size).toEqual([48, 48, 3])
  })
})

describe("every model that Keras has, with keras.applications' names and shapes", () => {
  test.each([...shapesOfKeras])('%s', (name, theirs) => {
    const ours = typesOf(createModel(name).graph)
    const naming = namingsOf(name).find(naming => naming.name === 'keras')!
    const names = theirNames([...ours.keys()], naming)
    const without = [...theirs].filter(([key]) => naming.adapt === undefined || !key.endsWith('_conv/bias'))
    expect([...names.values()].sort()).toEqual(without.map(([key]) => key).sort())
    for (const [key, { shape }] of ours) expect(theirs.get(names.get(key)!), key).toEqual(shape)
  })

  test('and no other', () => {
    const known = modelNames.filter(name => namingsOf(name).some(naming => naming.name === 'keras'))
    expect(known).toEqual([...shapesOfKeras.keys()])
  })
})

describe('files that are refused', () => {
  const read = (bytes: Uint8Array) => () => importWeights(openWeights('a.h5', bytes), 'resnet50')
  const start = "'a.h5' cannot be read as a Keras file: "

  test('HDF5 and zip files of others', () => {
    const other = readFileSync(new URL('../hdf5/layouts.h5', import.meta.url))
    expect(read(other)).toThrow(`${start}it is an HDF5 file without 'layer_names', which Keras's have`)
    expect(read(zipped({ 'config.json': b0Config }))).toThrow(`${start}it is a zip file without 'model.weights.h5'`)
    expect(read(zipped({ ...b0Entries, 'model.weights.h5': b0Config }))).toThrow(
      "its entry 'model.weights.h5' is no HDF5",
    )
    expect(read(zipped(b0Entries, 9))).toThrow('is compressed, which Keras does not do: save it again with model.save')
    expect(read(zipped({ ...b0Entries, 'config.json': new TextEncoder().encode('{}') }))).toThrow(FormatError)
  })

  test('weights of another model are said to be', () => {
    expect(() => importWeights(openWeights('a.h5', file('resnet50.h5')), 'resnet101')).toThrow(
      /^'a\.h5' does not fit resnet101: it lacks .*; its names are those of resnet50$/,
    )
  })

  test('numbers that cannot be read are those of a file, a layer and a place', () => {
    const bytes = file('resnet50.h5')
    // What zlib writes first, in every chunk.
    for (let at = bytes.indexOf(0x78); at >= 0; at = bytes.indexOf(0x78, at + 1))
      if (bytes[at + 1] === 0x5e) bytes[at] = 0
    expect(read(bytes)).toThrow(
      /^'a\.h5' cannot be read as a Keras file: '\/\w+\/\w+\/kernel:0': a chunk at byte \d+ is not what gzip writes$/,
    )
  })

  test('cut off at every 1 %', () => {
    for (const whole of [file('efficientnetb0-whole.h5'), zipped(b0Entries)]) {
      for (let percent = 1; percent < 100; percent++) {
        expect(read(whole.subarray(0, Math.floor((whole.length * percent) / 100)))).toThrow(/^'a\.h5' [^\n]+$/)
      }
    }
  })
})
