/**
 * @file Keras's files: `.h5` with weights or a whole model as Keras 1 and 2 write them, `.weights.h5` of Keras 3, and `.keras`, a zip file
 * with the latter and the model's configuration. Tensors are called LAYER/WEIGHT and have our order of axes.
 */
import type { Normalization } from '../data/dataset.js'
import { FormatError } from '../errors.js'
import { type Hdf5Object, isHdf5, openHdf5 } from './hdf5/hdf5.js'
import { imageShapeIn, type KerasLayer, normalizationIn, readKerasConfig, type Statistics } from './keras-config.js'
import { CLASSIFIER } from './keras-names.js'
import type { ModelFormat } from './model-source.js'
import { transposedKernel } from './transpose-kernel.js'
import { type StoredTensor, shownName, type WeightSource } from './weight-source.js'
import { zipEntries } from './zip.js'

/** What a file holds, before it is a source. */
interface KerasContent {
  /** By layer and weight: as Keras calls them, in its order of axes. */
  readonly weights: ReadonlyMap<string, ReadonlyMap<string, StoredTensor>>
  readonly layers: readonly KerasLayer[] | undefined
}

/** A format whose errors name the file and say what it is not. */
const kerasFormat = (matches: ModelFormat['matches'], read: (file: Uint8Array) => KerasContent): ModelFormat => ({
  matches,
  open(name, file) {
    const named = <T>(of: () => T): T => {
      try {
        return of()
      } catch (error) {
        throw error instanceof FormatError
          ? new FormatError(`'${name}' cannot be read as a Keras file: ${error.message}`)
          : error
      }
    }
    const source = named(() => sourceOf(read(file)))
    const lazy = (tensor: StoredTensor): StoredTensor => ({
      dtype: tensor.dtype,
      shape: tensor.shape,
      get bytes() {
        return named(() => tensor.bytes)
      },
    })
    const tensors = new Map([...source.tensors].map(([key, tensor]) => [key, lazy(tensor)]))
    return { weights: { ...source, name, tensors } }
  },
})

const CONFIG = 'config.json'
const WEIGHTS = 'model.weights.h5'

/** Keras writes this name first; PyTorch's entries are in a folder. */
const startsAsKeras = (file: Uint8Array): boolean =>
  ['metadata.json', CONFIG, WEIGHTS].some(name => {
    const start = `PK\x03\x04${name}`
    const at = (i: number): number => file[i < 4 ? i : i + 26]
    return [...start].every((letter, i) => at(i) === letter.charCodeAt(0))
  })

export const kerasZip = kerasFormat(startsAsKeras, file => {
  const entries = zipEntries(file, 'Keras does not do: save it again with model.save')
  const [config, weights] = [entries.get(CONFIG), entries.get(WEIGHTS)]
  if (config === undefined || weights === undefined) {
    throw new FormatError(`it is a zip file without '${config === undefined ? CONFIG : WEIGHTS}', which Keras's have`)
  }
  if (!isHdf5(weights)) throw new FormatError(`its entry '${WEIGHTS}' is no HDF5 file`)
  const layers = readKerasConfig(new TextDecoder().decode(config), CONFIG)
  return { weights: weightsByLayer(openHdf5(weights), layers), layers }
})

export const kerasHdf5 = kerasFormat(isHdf5, file => {
  const root = openHdf5(file)
  if (containerOf(root) !== undefined) return { weights: weightsByLayer(root, undefined), layers: undefined }
  const [config] = root.texts().get('model_config') ?? []
  const layers = config === undefined ? undefined : readKerasConfig(config, "its 'model_config'")
  return { weights: weightsByName(root.children?.get('model_weights') ?? root), layers }
})

function sourceOf({ weights, layers }: KerasContent): Omit<WeightSource, 'name'> {
  const statistics: Statistics = statisticsIn(weights)
  const tensors = new Map<string, StoredTensor>()
  const named = [...weights].filter(([layer]) => !statistics.has(layer))
  const [classifier, notes] = classifierOf(named)
  for (const [layer, parts] of named) {
    for (const [part, tensor] of parts) {
      const name = `${layer === classifier ? CLASSIFIER : layer}/${part}`
      if (tensors.has(name)) throw new FormatError(`'${shownName(name)}' is there twice`)
      tensors.set(name, part === 'kernel' ? transposedKernel(tensor) : tensor)
    }
  }
  const normalization: Normalization | undefined = normalizationIn(layers, statistics)
  const input = layers && imageShapeIn(layers)
  return { format: 'a Keras file', tensors, notes, ...(normalization && { normalization }), ...(input && { input }) }
}

/** Where no layer has that name, the only dense one is taken for it. */
function classifierOf(named: readonly (readonly [string, ReadonlyMap<string, StoredTensor>])[]) {
  const dense = named.filter(([, parts]) => parts.get('kernel')?.shape.length === 2).map(([layer]) => layer)
  const isOther = dense.length === 1 && dense[0] !== CLASSIFIER && !/^dense(_\d+)?$/.test(dense[0])
  const notes = isOther ? [`its layer '${shownName(dense[0])}' was taken for the classifier`] : []
  return [dense.length === 1 ? dense[0] : undefined, notes] as const
}

/** Of layers that normalize images. */
function statisticsIn(weights: KerasContent['weights']): Statistics {
  return new Map(
    [...weights].flatMap(([layer, parts]) => {
      const [mean, variance] = [parts.get('mean'), parts.get('variance')]
      return mean === undefined || variance === undefined ? [] : [[layer, { mean, variance }]]
    }),
  )
}

/** A list that may stand in several attributes, as one holds 64 kB: `weight_names0`, `weight_names1`, … */
function listOf(object: Hdf5Object, name: string): readonly string[] | undefined {
  const texts = object.texts()
  const whole = texts.get(name)
  if (whole !== undefined || !texts.has(`${name}0`)) return whole
  const parts: string[] = []
  for (let i = 0; texts.has(`${name}${i}`); i++) parts.push(...texts.get(`${name}${i}`)!)
  return parts
}

/** Keras 1 and 2: a group for each layer, whose weights are listed by name. */
function weightsByName(root: Hdf5Object): KerasContent['weights'] {
  const names = listOf(root, 'layer_names')
  if (names === undefined) throw new FormatError("it is an HDF5 file without 'layer_names', which Keras's have")
  const weights = new Map<string, Map<string, StoredTensor>>()
  for (const group of names) {
    const object = root.children?.get(group)
    if (object === undefined) throw new FormatError(`it lacks its layer '${shownName(group)}'`)
    const paths = (listOf(object, 'weight_names') ?? []).map(path => path.split('/').filter(part => part !== ''))
    // A model within the model is one group, and its layers are parts of their weights' names.
    const layerIn = (path: readonly string[]): string => path[path.length - 2] ?? group
    const isOne = new Set(paths.map(layerIn)).size <= 1
    for (const path of paths) {
      const [layer, part] = [isOne ? group : layerIn(path), partOf(path[path.length - 1] ?? '')]
      const parts = weights.get(layer) ?? new Map<string, StoredTensor>()
      if (parts.has(part)) throw new FormatError(`'${shownName(`${layer}/${part}`)}' is there twice`)
      weights.set(layer, parts.set(part, tensorAt(object, path)))
    }
  }
  return weights
}

/** `depthwise_kernel:0` is `kernel`. */
const partOf = (name: string): string => name.replace(/:\d+$/, '').replace(/^depthwise_kernel$/, 'kernel')

function tensorAt(object: Hdf5Object, path: readonly string[]): StoredTensor {
  let at: Hdf5Object | undefined = object
  for (const part of path) at = at?.children?.get(part)
  if (at === undefined) throw new FormatError(`'${shownName(`${object.path}/${path.join('/')}`)}' is not there`)
  return at.tensor()
}

/** The layers of a model; the second is the name of TensorFlow 2.12. */
const containerOf = ({ children }: Hdf5Object): Hdf5Object | undefined =>
  children?.get('layers') ?? children?.get('_layer_checkpoint_dependencies')

/** What the weights of a layer are, in the order in which it has them. */
const partsByClass: Readonly<Record<string, readonly string[]>> = {
  conv2d: ['kernel', 'bias'],
  depthwise_conv2d: ['kernel', 'bias'],
  dense: ['kernel', 'bias'],
  batch_normalization: ['gamma', 'beta', 'moving_mean', 'moving_variance'],
  normalization: ['mean', 'variance', 'count'],
}

/** Keras 3: a group for each layer, called by its class and counted within it; weights are called by their number. */
function weightsByLayer(
  root: Hdf5Object,
  config: readonly KerasLayer[] | undefined,
  weights = new Map<string, Map<string, StoredTensor>>(),
): KerasContent['weights'] {
  const layers = containerOf(root)?.children
  if (layers === undefined) throw new FormatError(`'${shownName(root.path || '/')}' has no layers`)
  const byGroup = new Map(config && groupNames(config))
  for (const [group, object] of layers) {
    const known = byGroup.get(group)
    if (containerOf(object) !== undefined) {
      weightsByLayer(object, known?.layers, weights)
      continue
    }
    const variables = object.children?.get('vars')
    if (variables?.children === undefined || variables.children.size === 0) continue
    if (config !== undefined && known === undefined) {
      throw new FormatError(`'${shownName(object.path)}' is no layer of its configuration`)
    }
    const kind = group.replace(/_\d+$/, '')
    const layer = known?.name ?? variables.texts().get('name')?.[0] ?? group
    if (weights.has(layer)) throw new FormatError(`its layer '${shownName(layer)}' is there twice`)
    const parts = [...variables.children].map(([number, variable]): [string, StoredTensor] => [
      partsByClass[kind]?.[Number(number)] ?? `vars/${number}`,
      variable.tensor(),
    ])
    weights.set(layer, new Map(parts))
  }
  return weights
}

/** `Conv2D` is `conv2d`, the second `conv2d_1`. */
function groupNames(layers: readonly KerasLayer[]): (readonly [string, KerasLayer])[] {
  const counts = new Map<string, number>()
  return layers.map(layer => {
    const kind = layer.kind
      .replace(/\W+/g, '')
      .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
      .replace(/([a-z])([A-Z])/g, '$1_$2')
      .toLowerCase()
    const count = counts.get(kind) ?? 0
    counts.set(kind, count + 1)
    return [count === 0 ? kind : `${kind}_${count}`, layer]
  })
}
