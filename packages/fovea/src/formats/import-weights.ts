/**
 * @file A model of the registry with weights from elsewhere: as many classes as their classifier has, and norms as the library
 * computes them that they are from.
 */

import type { Normalization } from '../data/dataset.js'
import { FormatError } from '../errors.js'
import { zeroArray } from '../graph/arrays.js'
import type { Graph } from '../graph/graph.js'
import { elements } from '../graph/types.js'
import { type ModelOptions, modelSettings } from '../models/build.js'
import type { Model } from '../models/model.js'
import { model as modelSetting } from '../models/model-setting.js'
import { createModel } from '../models/registry.js'
import { headParameters, replaceHead } from '../models/replace-head.js'
import { isRecord } from '../settings/describe.js'
import { checkArguments, group, type Rows } from '../settings/group.js'
import { choice, text, thing } from '../settings/kinds.js'
import { fitWeights, typesOf } from './fit-weights.js'
import { weightsOf } from './model-weights.js'
import { openWeights } from './registry.js'
import { storedNumbers } from './stored-numbers.js'
import type { NamingName, WeightNaming } from './weight-names.js'
import { type StoredTensor, storedElementBytes, type WeightSource } from './weight-source.js'

/** A model, and what was found out about its file. */
export interface ImportedModel {
  readonly model: Model
  /** `a PyTorch file`, `a safetensors file`, `2 files`. */
  readonly format: string
  /** Whose names the weights had. */
  readonly names: NamingName
  /** What was taken of several. */
  readonly notes: readonly string[]
  /** Where the model's normalization is from, if it was no option: from the file, from the library whose names these are, or `default`. */
  readonly normalization: 'given' | 'file' | 'library' | 'default'
}

/** What is not in the weights; the number of classes is. */
export interface ImportOptions extends Pick<ModelOptions, 'labels' | 'normalization'> {
  /** Of images: [height, width, channels]. Default: as a Keras model's file says, else as the model has it. */
  readonly input?: readonly [number, number, number]
  /**
   * `same` for EfficientNets that came from TensorFlow by way of timm, under names that begin with `tf_`: they are padded as there, and their
   * norms have an ε of 0.001. Keras's own files need no such word. Default: as the names in the file have it.
   */
  readonly padding?: 'same'
  /**
   * `new`: weights without their classifier, as a training of other classes starts from, get a new one, of `labels`; without these it tells
   * as many classes apart as the model does unasked. Default: such weights are refused.
   */
  readonly classifier?: 'new'
}

/** timm's BN_EPS_TF_DEFAULT. */
const TENSORFLOW_EPSILON = 1e-3

/** What `openWeights` gives. */
const isSource = (value: unknown): value is WeightSource => isRecord(value) && value['tensors'] instanceof Map

const importArguments = {
  source: thing('opened weights', 'other', 'what openWeights gives', isSource),
  model: text('which model'),
}

const importOptions = group('what is not in the weights', {
  input: modelSettings.input,
  labels: modelSettings.labels,
  normalization: modelSettings.normalization,
  padding: choice('as the weights were trained with', ['same']).optional(),
  classifier: choice('where the weights have none', ['new']).optional(),
} satisfies Rows<ImportOptions>)

/**
 * The weights of a model of the registry from a file of PyTorch, Keras or safetensors, under the names that torchvision, timm,
 * keras.applications or the repository of the CIFAR networks gives them. Keras's networks are made as Keras makes them, with its padding,
 * strides and norms.
 * @param source of weights, as `openWeights` gives it
 * @param model the registry's name: `resnet50`
 * @throws FormatError naming the file, and the tensors that are missing, too many or of another shape; InvalidArgumentError for
 *   an unknown model
 */
export function importWeights(source: WeightSource, model: string, options: ImportOptions = {}): ImportedModel {
  checkArguments(importArguments, { source, model })
  const given = importOptions.parse(options, '')
  const { name } = source
  const { labels, padding, classifier, normalization, input = source.input } = given
  const tensorflow = padding && { padding, normEpsilon: TENSORFLOW_EPSILON }
  const shape = { ...(normalization && { normalization }), ...(input && { input }), ...tensorflow }
  const plain = createModel(model, shape)
  try {
    const head = headParameters(plain.graph)
    const { tensors, naming } = fitWeights(source.tensors, plain, head)
    const isHeadless = !tensors.has(head[0])
    if (isHeadless && classifier === undefined) {
      throw new FormatError(
        'it has no classifier: a training of other classes can start from it (train --from), nothing else',
      )
    }
    const [classes] = isHeadless ? [(labels ?? plain.labels).length] : tensors.get(head[0])!.shape
    if (labels !== undefined && labels.length !== classes) {
      throw new FormatError(`it tells ${classes} classes apart, not ${labels.length}`)
    }
    const theirs = { ...(naming.epsilon !== undefined && { normEpsilon: naming.epsilon }), ...naming.architecture }
    // What is asked for goes before what the names tell.
    const made = createModel(model, { ...theirs, ...shape, classes, ...(labels && { labels }) })
    const [from, known] = normalizationOf(naming, source, given.normalization, made)
    const fitted = from === 'library' ? withRedFirst(tensors, naming) : tensors
    const weights = weightsOf(made.graph, isHeadless ? withZeros(fitted, made.graph, head) : fitted)
    // Not all of `made`: its weights are drawn when they are asked for.
    const { name: architecture, graph, labels: classNames } = made
    const preprocessing = { ...made.preprocessing, ...known }
    const imported = { name: architecture, graph, weights, preprocessing, labels: classNames }
    const { format } = source
    return {
      ...{ format, names: naming.name, normalization: from },
      model: isHeadless ? replaceHead(imported, classNames) : imported,
      notes: isHeadless ? [...source.notes, 'it has no classifier: a new one has to be trained'] : source.notes,
    }
  } catch (error) {
    // A tensor that cannot be read has named the file.
    throw error instanceof FormatError && !error.message.startsWith(`'${name}' `)
      ? new FormatError(`'${name}' does not fit ${plain.name}: ${error.message}`)
      : error
  }
}

/**
 * The weights of a file, for a model that is there already; `importWeights` makes the model too.
 * @param name the file's, for messages
 * @returns the model with those weights
 * @throws FormatError naming the tensors that are missing, too many or of another shape
 */
export function decodeWeights(name: string, file: Uint8Array, model: Model): Model {
  modelSetting.parse(model, 'model')
  const { tensors } = openWeights(name, file)
  try {
    return { ...model, weights: weightsOf(model.graph, fitWeights(tensors, model).tensors) }
  } catch (error) {
    throw error instanceof FormatError
      ? new FormatError(`'${name}' does not fit ${model.name}: ${error.message}`)
      : error
  }
}

/** Who says how images are normalized, and how. What is given stands in the model already. */
function normalizationOf(
  { preprocessing }: WeightNaming,
  { normalization }: WeightSource,
  given: Normalization | undefined,
  { preprocessing: { size } }: Pick<Model, 'preprocessing'>,
): readonly [ImportedModel['normalization'], Normalization?] {
  if (given !== undefined) return ['given']
  if (normalization !== undefined) return ['file', normalization]
  const theirs = preprocessing?.normalization
  // Theirs is of colours: of grey images nothing is known.
  return theirs?.mean.length === size[2] ? ['library', theirs] : ['default']
}

/** The tensors with zeros for the parameters of the head, in whose place others are drawn. */
function withZeros(
  tensors: ReadonlyMap<string, StoredTensor>,
  graph: Graph,
  head: readonly string[],
): ReadonlyMap<string, StoredTensor> {
  const types = typesOf(graph)
  const zeros = head.map(name => [name, storedNumbers(name, zeroArray(types.get(name)!), types.get(name)!)] as const)
  return new Map([...tensors, ...zeros])
}

/** The tensors of a network that reads blue, green, red, for images of red, green, blue. */
function withRedFirst(
  tensors: ReadonlyMap<string, StoredTensor>,
  { preprocessing }: WeightNaming,
): ReadonlyMap<string, StoredTensor> {
  const name = preprocessing!.blueFirst
  if (name === undefined) return tensors
  return new Map([...tensors].map(([key, tensor]) => [key, key === name ? reversedInputs(tensor) : tensor]))
}

/** A kernel [out, in, kh, kw] whose inputs come in the other order. */
function reversedInputs(tensor: StoredTensor): StoredTensor {
  const [outs, ins, ...window] = tensor.shape
  return {
    dtype: tensor.dtype,
    shape: tensor.shape,
    get bytes() {
      const { bytes } = tensor
      const reversed = new Uint8Array(bytes.length)
      const plane = elements(window) * storedElementBytes(tensor.dtype)
      for (let out = 0; out < outs; out++) {
        for (let i = 0; i < ins; i++) {
          const from = (out * ins + i) * plane
          reversed.set(bytes.subarray(from, from + plane), (out * ins + ins - 1 - i) * plane)
        }
      }
      return reversed
    },
  }
}
