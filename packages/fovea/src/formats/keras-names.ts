/**
 * @file What Keras calls the weights of our models: the layers of keras.applications, and how those networks differ from ours. ResNets are
 * its first version (`resnet.py`), as the weights of `resnet50_weights_tf_dim_ordering_tf_kernels.h5` are; EfficientNets its
 * `efficientnet.py`.
 */
import { elements } from '../graph/types.js'
import { numbersOf } from './stored-numbers.js'
import type { Row, WeightNaming } from './weight-names.js'
import type { StoredTensor } from './weight-source.js'

type Tensors = ReadonlyMap<string, StoredTensor>

/** The layer of keras.applications that tells classes apart. */
export const CLASSIFIER = 'predictions'

/** The two weights of a layer with a kernel. */
const kernel = (ours: string, theirs: string): Row[] => [
  [`${ours}.weight`, `${theirs}/kernel`],
  [`${ours}.bias`, `${theirs}/bias`],
]
const norm = (ours: string, theirs: string): Row[] => [
  [`${ours}.weight`, `${theirs}/gamma`],
  [`${ours}.bias`, `${theirs}/beta`],
  [`${ours}.running_mean`, `${theirs}/moving_mean`],
  [`${ours}.running_var`, `${theirs}/moving_variance`],
]

/** Blocks are counted from 1 (`+`). */
const resnetRows: readonly Row[] = [
  ...kernel('conv1', 'conv1_conv'),
  ...norm('bn1', 'conv1_bn'),
  ...[1, 2, 3, 4].flatMap(stage => [
    ...[1, 2, 3].flatMap(part => [
      ...kernel(`layer${stage}.*.conv${part}`, `conv${stage + 1}_block+_${part}_conv`),
      ...norm(`layer${stage}.*.bn${part}`, `conv${stage + 1}_block+_${part}_bn`),
    ]),
    ...kernel(`layer${stage}.*.downsample.0`, `conv${stage + 1}_block+_0_conv`),
    ...norm(`layer${stage}.*.downsample.1`, `conv${stage + 1}_block+_0_bn`),
  ]),
  ...kernel('fc', CLASSIFIER),
]

/** Blocks have letters (`@`); those of the first stage do not widen. */
const efficientnetRows: readonly Row[] = [
  ...kernel('features.0.0', 'stem_conv'),
  ...norm('features.0.1', 'stem_bn'),
  ...[1, 2, 3, 4, 5, 6, 7].flatMap(stage => {
    const [ours, theirs] = [`features.${stage}.*.block`, `block${stage}@_`]
    const deep = stage === 1 ? 0 : 1
    return [
      ...(deep === 1
        ? [...kernel(`${ours}.0.0`, `${theirs}expand_conv`), ...norm(`${ours}.0.1`, `${theirs}expand_bn`)]
        : []),
      ...kernel(`${ours}.${deep}.0`, `${theirs}dwconv`),
      ...norm(`${ours}.${deep}.1`, `${theirs}bn`),
      ...kernel(`${ours}.${deep + 1}.fc1`, `${theirs}se_reduce`),
      ...kernel(`${ours}.${deep + 1}.fc2`, `${theirs}se_expand`),
      ...kernel(`${ours}.${deep + 2}.0`, `${theirs}project_conv`),
      ...norm(`${ours}.${deep + 2}.1`, `${theirs}project_bn`),
    ]
  }),
  ...kernel('features.8.0', 'top_conv'),
  ...norm('features.8.1', 'top_bn'),
  ...kernel('classifier.1', CLASSIFIER),
]

/**
 * keras.applications' "caffe" preprocessing: blue first, values from 0 to 255 less 123.68 of red, 116.779 of green, 103.939 of blue. As
 * means and deviations of images from 0 to 1, each by 255.
 */
const caffe = { mean: [0.4850196, 0.4579569, 0.4076039], deviation: [0.003921569, 0.003921569, 0.003921569] }

/**
 * Norms take back what their convolution's bias adds: a bias is subtracted from the mean instead. Ours have none, and in training it makes
 * no difference.
 */
function biasesInMeans(tensors: Tensors): Tensors {
  const without = new Map(tensors)
  for (const [name, bias] of tensors) {
    const meanName = name
      .replace(/_conv\/bias$/, '_bn/moving_mean')
      .replace(/^conv2d(_\d+)?\/bias$/, 'batch_normalization$1/moving_mean')
    const mean = tensors.get(meanName)
    if (meanName === name || mean === undefined || mean.shape.join() !== bias.shape.join()) continue
    without.delete(name)
    without.set(meanName, difference([meanName, mean], [name, bias]))
  }
  return without
}

function difference(mean: readonly [string, StoredTensor], bias: readonly [string, StoredTensor]): StoredTensor {
  const { shape } = mean[1]
  return {
    dtype: 'float32',
    shape,
    get bytes() {
      const [from, less] = [mean, bias].map(([name, tensor]) => numbersOf(name, tensor, { shape, dtype: 'float32' }))
      const result = Float32Array.from({ length: elements(shape) }, (_, i) => Number(from[i]) - Number(less[i]))
      return new Uint8Array(result.buffer)
    },
  }
}

/** Layers that have only numbers are counted by class; the reader knows the classifier, as it is the only dense one. */
const classOf = (layer: string): string => {
  if (layer.endsWith('_bn')) return 'batch_normalization'
  return layer.endsWith('_dwconv') ? 'depthwise_conv2d' : 'conv2d'
}

/**
 * The names of Keras 3's `.weights.h5` without a configuration, which has no names of layers: `conv2d`, `conv2d_1`, …, in the order in
 * which Keras lists the layers of a model: that of the graph, a shortcut's before the third convolution beside it.
 */
function numbered(names: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const layerOf = (name: string): string => name.slice(0, name.indexOf('/'))
  const layers = [...new Set([...names.values()].map(layerOf))].filter(layer => layer !== CLASSIFIER)
  const place = (layer: string): number => {
    const beside = layers.indexOf(layer.replace(/_0_(conv|bn)$/, '_3_$1'))
    return /_0_(conv|bn)$/.test(layer) ? beside - 0.5 : beside
  }
  const counts = new Map<string, number>()
  const numbers = new Map(
    [...layers]
      .sort((a, b) => place(a) - place(b))
      .map(layer => {
        const kind = classOf(layer)
        const count = counts.get(kind) ?? 0
        counts.set(kind, count + 1)
        return [layer, count === 0 ? kind : `${kind}_${count}`]
      }),
  )
  const renamed = (name: string): string => name.replace(/^[^/]*/, layer => numbers.get(layer) ?? layer)
  return new Map([...names].map(([ours, theirs]) => [ours, renamed(theirs)]))
}

const resnets: Omit<WeightNaming, 'models'> = {
  name: 'keras',
  rows: resnetRows,
  epsilon: 1.001e-5,
  architecture: { stridedConvolution: 'conv1' },
  adapt: biasesInMeans,
  preprocessing: {
    normalization: caffe,
    blueFirst: 'conv1.weight',
  },
}

const efficientnets: Omit<WeightNaming, 'models'> = {
  name: 'keras',
  rows: efficientnetRows,
  epsilon: 1e-3,
  architecture: { padding: 'same', stemStride: 2 },
}

/** Of the ResNets that Keras has, and of EfficientNets: by names of layers, and by their numbers. */
export const kerasNamings = (resnet: readonly string[], efficientnet: readonly string[]): readonly WeightNaming[] =>
  [
    { ...resnets, models: resnet },
    { ...efficientnets, models: efficientnet },
  ].flatMap(naming => [naming, { ...naming, renamed: numbered }])
