/** @file What a Keras model's configuration says of it: the names of its layers, and what it does to images first. No code is run. */
import type { Normalization } from '../data/dataset.js'
import { FormatError } from '../errors.js'
import { asArray, asName, asRecord, parseJson } from './json.js'
import { numbersOf } from './stored-numbers.js'
import { type StoredTensor, shownName } from './weight-source.js'

/** A layer, or a model within a model. */
export interface KerasLayer {
  /** `Conv2D`, `Functional`, … */
  readonly kind: string
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
  /** Of a model. */
  readonly layers: readonly KerasLayer[]
}

const MAX_LAYERS = 20_000
const MAX_DEPTH = 10

/** The layers of a model, in the order in which Keras lists them. @throws FormatError for what is no configuration */
export function readKerasConfig(text: string, what: string): readonly KerasLayer[] {
  const { layers } = layerOf(parseJson(text, what), what, 0)
  if (layers.length === 0) throw new FormatError(`${what} has no layers: it is of a model that its own code builds`)
  return layers
}

function layerOf(value: unknown, what: string, depth: number): KerasLayer {
  if (depth > MAX_DEPTH) throw new FormatError(`${what} has models more than ${MAX_DEPTH} deep`)
  const { class_name: kind, config: given, name } = asRecord(value, `a layer of ${what}`)
  // Before Keras 2.2.3 the configuration of a Sequential model was the list of its layers.
  const config = Array.isArray(given) ? { layers: given } : asRecord(given, `the configuration of a layer of ${what}`)
  const inner = 'layers' in config ? asArray(config['layers'], `the layers of ${what}`, MAX_LAYERS) : []
  return {
    kind: asName(kind, `the class of a layer of ${what}`),
    name: asName(config['name'] ?? name ?? 'model', `the name of a layer of ${what}`),
    config,
    layers: inner.map(layer => layerOf(layer, what, depth + 1)),
  }
}

/** Layer after layer, those of models within in their place. */
export const flatLayers = (layers: readonly KerasLayer[]): readonly KerasLayer[] =>
  layers.flatMap(layer => (layer.layers.length > 0 ? flatLayers(layer.layers) : [layer]))

const MAX_SIDE = 10_000
const MAX_IMAGE_CHANNELS = 4

/**
 * The images that a model takes: [height, width, channels]. A layer that resizes or crops says what its network takes, whatever
 * comes in.
 * @returns undefined where it takes images of any size, or says nothing of them
 */
export function imageShapeIn(layers: readonly KerasLayer[]): readonly [number, number, number] | undefined {
  const flat = flatLayers(layers)
  // Keras 3 has one word for it, Keras 1 and 2 another.
  const shape = flat
    .map(({ config }) => config['batch_shape'] ?? config['batch_input_shape'])
    .find(shape => shape != null)
  if (!Array.isArray(shape) || shape.length !== 4) return undefined
  const resized = flat.findLast(({ kind }) => /^(Resizing|CenterCrop|RandomCrop)$/.test(kind))?.config
  const [height, width] = resized === undefined ? shape.slice(1) : [resized['height'], resized['width']]
  const channels: unknown = shape[3]
  const isShape = isSide(height, MAX_SIDE) && isSide(width, MAX_SIDE) && isSide(channels, MAX_IMAGE_CHANNELS)
  return isShape ? [height, width, channels] : undefined
}

const isSide = (value: unknown, most: number): value is number =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most

/** What is done to a channel from 0 to 255: scale · x + offset. */
interface Affine {
  readonly scale: readonly number[]
  readonly offset: readonly number[]
}

/** The mean and variance of Normalization layers by layer, as tensors that the file holds. */
export type Statistics = ReadonlyMap<string, { readonly mean: StoredTensor; readonly variance: StoredTensor }>

/** The deviations of ImageNet's images, which the published EfficientNets hold as variances. */
const DEVIATIONS = [0.229, 0.224, 0.225]

/**
 * How images are normalized by a model's own layers, as for images from 0 to 1.
 * @param layers by the configuration; undefined if there is none: then layers are those of keras.applications' EfficientNets
 * @returns undefined where the model has no such layers
 */
export function normalizationIn(
  layers: readonly KerasLayer[] | undefined,
  statistics: Statistics,
): Normalization | undefined {
  const steps =
    layers === undefined
      ? [...statistics.keys()].flatMap(name => [{ scale: [1 / 255], offset: [0] }, ...published(name, statistics)])
      : flatLayers(layers).flatMap(layer => stepOf(layer, statistics) ?? [])
  if (steps.length === 0) return undefined
  const whole = steps.reduce(after, { scale: [1], offset: [0] })
  // A tensor of float32 has 7 digits: more would be noise.
  const short = (value: number): number => Number(value.toPrecision(7))
  const deviation = whole.scale.map(scale => 1 / (255 * scale))
  const mean = deviation.map((value, channel) => -whole.offset[channel] * value)
  if (![...mean, ...deviation].every(Number.isFinite) || !deviation.every(value => value > 0)) {
    throw new FormatError('its first layers do not normalize images: they multiply by what is not above 0')
  }
  // One number is for each of three channels.
  const each = (values: readonly number[]): number[] =>
    (values.length === 1 ? [values[0], values[0], values[0]] : values).map(short)
  return { mean: each(mean), deviation: each(deviation) }
}

/** The second after the first; a single number is for all channels. */
function after(first: Affine, { scale, offset }: Affine): Affine {
  const channels = Math.max(first.scale.length, first.offset.length, scale.length, offset.length)
  const at = (values: readonly number[], channel: number): number => values[values.length === 1 ? 0 : channel]
  const each = (value: (channel: number) => number): number[] => Array.from({ length: channels }, (_, i) => value(i))
  return {
    scale: each(i => at(scale, i) * at(first.scale, i)),
    offset: each(i => at(scale, i) * at(first.offset, i) + at(offset, i)),
  }
}

function stepOf({ kind, name, config }: KerasLayer, statistics: Statistics): Affine | undefined {
  if (kind === 'Rescaling') {
    return { scale: numbersIn(config['scale'], name), offset: numbersIn(config['offset'] ?? 0, name) }
  }
  if (kind !== 'Normalization') return undefined
  if (config['invert'] === true) throw new FormatError(`its layer '${shownName(name)}' undoes a normalization`)
  const { mean, variance } = config
  if (mean != null && variance != null) return normalizing(numbersIn(mean, name), numbersIn(variance, name))
  const held = statistics.get(name)
  if (held === undefined) throw new FormatError(`its layer '${shownName(name)}' has no mean and variance`)
  return normalizing(valuesOf(`${name}/mean`, held.mean), valuesOf(`${name}/variance`, held.variance))
}

/**
 * keras.applications divides by the root of what its weights call variance, and in networks with the published weights once more: what
 * these hold is the deviation.
 */
function published(name: string, statistics: Statistics): readonly Affine[] {
  const { mean, variance } = statistics.get(name)!
  const values = valuesOf(`${name}/variance`, variance)
  const isDeviation = values.length === 3 && values.every((value, i) => Math.abs(value - DEVIATIONS[i]) < 1e-4)
  const again = values.map(value => 1 / Math.sqrt(value))
  const first = normalizing(valuesOf(`${name}/mean`, mean), values)
  return isDeviation ? [first, { scale: again, offset: [0] }] : [first]
}

const normalizing = (mean: readonly number[], variance: readonly number[]): Affine =>
  after(
    { scale: [1], offset: mean.map(value => -value) },
    { scale: variance.map(value => 1 / Math.sqrt(value)), offset: [0] },
  )

const MAX_CHANNELS = 16

function valuesOf(name: string, tensor: StoredTensor): number[] {
  const count = tensor.shape.reduce((product, side) => product * side, 1)
  if (count < 1 || count > MAX_CHANNELS) throw new FormatError(`'${shownName(name)}' is not of an image's channels`)
  return Array.from(numbersOf(name, tensor, { shape: [count], dtype: 'float32' }), Number)
}

/** A number, or lists of them, however deep. */
function numbersIn(value: unknown, name: string): number[] {
  const numbers = Array.isArray(value) ? value.flat(4) : [value]
  const fits = numbers.length > 0 && numbers.length <= MAX_CHANNELS && numbers.every(Number.isFinite)
  if (!fits) throw new FormatError(`its layer '${shownName(name)}' has what are no numbers of an image's channels`)
  return numbers as number[]
}
